// How the gateway authenticates peers and itself: its key and certificates, whom it trusts, EAP accounts; and the answers to what its IKE
// SAs ask. Without the section `authentication` both ends use the pre-shared keys of the users.
import { z } from 'zod';
import type { RandomBytes } from '../crypto/random.ts';
import { createEapServer } from '../eap/create-server.ts';
import type { EapServer, EapServerStep } from '../eap/types.ts';
import { fixedPpkId } from '../ike/auth/ppk.ts';
import { IkeError } from '../ike/error.ts';
import { formatIdentity, type Identity } from '../ike/identity.ts';
import type { SaName } from '../ike/peer.ts';
import type { IkeAnswer, IkeQuestion } from '../ike/questions.ts';
import type { ResponderAuthentication } from '../ike/responder-config.ts';
import { answerSign, answerVerify } from '../pki/answer.ts';
import { openCredential, readCertificates } from '../pki/credential.ts';
import { isPkiError, type PkiError } from '../pki/error.ts';
import { ownCertificate, type SigningKey } from '../pki/key.ts';
import { createTrust, type Trust } from '../pki/trust.ts';

const kinds = z.array(z.enum(['psk', 'certificate', 'eap'])).min(1);

export const authenticationSchema = z.strictObject({
  /** What each peer has to do, one round after another; in each any of the methods named. */
  rounds: z
    .array(kinds)
    .min(1)
    .max(2)
    .default([['psk']]),
  /** PEM: ours and intermediates, and our key; without them the gateway proves itself by the user's pre-shared key. */
  certificate: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  /** PEM of those who may vouch for peers' certificates. */
  authorities: z.array(z.string().min(1)).default([]),
  eap: z
    .strictObject({
      methods: z.array(z.enum(['tls', 'ttls', 'peap', 'mschapv2', 'gtc', 'otp', 'md5'])).min(1),
      inner: z
        .array(z.enum(['pap', 'mschapv2', 'eap-mschapv2', 'eap-gtc', 'eap-otp', 'eap-md5', 'eap-tls']))
        .min(1)
        .optional(),
      /** Take EAP_ONLY_AUTHENTICATION (RFC 5998). */
      only: z.boolean().default(false),
    })
    .optional(),
  ppk: z
    .strictObject({ id: z.string().min(1), secret: z.string().min(1), required: z.boolean().default(true) })
    .optional(),
  /** RFC 4478. */
  lifetimeSeconds: z.int().min(1).optional(),
  /** Take IKE SAs whose CHILD SA is made afterwards (RFC 6023). */
  childless: z.boolean().default(false),
});

export type GatewayAuthenticationConfig = z.output<typeof authenticationSchema>;

export interface GatewayAuthentication {
  /** For the responder. */
  readonly rules: ResponderAuthentication;
  /** `name`: whose conversation it is. */
  answer(name: SaName, question: IkeQuestion): Promise<IkeAnswer>;
  /** This IKE SA asks no more. */
  forget(name: SaName): void;
}

/** What the schema allows and what still does not add up: the first mistake, in words. */
export class GatewayAuthenticationError extends Error {
  override readonly name = 'GatewayAuthenticationError';
}

/** A user's password is the secret. */
interface Account {
  readonly identity: Identity;
  readonly secret: Uint8Array;
}

export async function openGatewayAuthentication(
  config: GatewayAuthenticationConfig,
  users: readonly Account[],
  deps: { readonly random: RandomBytes; readonly wall: () => number },
): Promise<GatewayAuthentication> {
  const { certificate, key, eap, ppk, lifetimeSeconds } = config;
  const own = certificate && key ? await credential(certificate, key) : undefined;
  const authorities = config.authorities.flatMap((pem) => usable(readCertificates(Buffer.from(pem), 'an authority')));
  const trust: Trust | undefined = authorities.length > 0 ? createTrust({ authorities, clock: deps.wall }) : undefined;
  const ppkId = ppk && fixedPpkId(ppk.id);
  const rules: ResponderAuthentication = {
    credential: own ? { kind: 'signature', certificates: [ownCertificate(own, authorities)] } : { kind: 'psk' },
    rounds: config.rounds.map((round) => round.map((kind) => (kind === 'certificate' ? 'signature' : kind))),
    authorities: trust?.authorityHashes ?? [],
    eapOnly: eap?.only ?? false,
    ...(ppk &&
      ppkId && {
        ppk: {
          required: ppk.required,
          of: (id: Uint8Array) => (Buffer.compare(id, ppkId) === 0 ? Buffer.from(ppk.secret) : undefined),
        },
      }),
    ...(lifetimeSeconds && { lifetimeSeconds }),
    childless: config.childless,
  };

  /** By SA and round. */
  const servers = new Map<string, EapServer>();
  const account = (identity: string): { readonly password: string } | null => {
    const user = users.find((one) => formatIdentity(one.identity) === identity);
    return user ? { password: Buffer.from(user.secret).toString('utf8') } : null;
  };
  const serverOf = (id: string): EapServer => {
    const known = servers.get(id);
    if (known) return known;
    if (!eap) throw new GatewayAuthenticationError('EAP is not set up');
    const server = createEapServer(
      {
        methods: eap.methods,
        inner: eap.inner,
        account,
        name: 'culvert',
        askIdentity: true,
        ...(certificate && key && { tls: { certificate, key, clientAuthorities: config.authorities } }),
      },
      { random: deps.random },
    );
    servers.set(id, server);
    return server;
  };

  return {
    rules,
    async answer(name, question) {
      switch (question.kind) {
        case 'sign':
          return answerSign(own ? [own] : [], question);
        case 'verify':
          return trust
            ? answerVerify(trust, question, 'client')
            : failed('no authority is set up for certificates of clients');
        case 'eap-begin':
          return eapAnswer(await serverOf(`${name} ${question.round}`).begin(formatIdentity(question.identity)));
        case 'eap':
          return eapAnswer(await serverOf(`${name} ${question.round}`).process(question.packet));
        default:
          throw new Error(`a responder does not ask "${question.kind}"`);
      }
    },
    forget(name) {
      for (const [id, server] of servers)
        if (id.startsWith(`${name} `)) {
          server.close();
          servers.delete(id);
        }
    },
  };
}

async function credential(certificate: string, key: string): Promise<SigningKey> {
  return usable(await openCredential({ kind: 'pem', certificates: Buffer.from(certificate), key: Buffer.from(key) }));
}

function usable<T>(value: T | PkiError): T {
  if (isPkiError(value)) throw new GatewayAuthenticationError(`${value.message}; ${value.remedy}`);
  return value;
}

const failed = (message: string): IkeAnswer => ({
  kind: 'failed',
  error: new IkeError({
    code: 'configuration',
    message,
    remedy: 'set authentication.authorities in the configuration',
  }),
});

function eapAnswer(step: EapServerStep): IkeAnswer {
  switch (step.state) {
    case 'under-way':
      return { kind: 'eap', state: 'under-way', packet: step.packet };
    case 'success':
      return { kind: 'eap', state: 'success', packet: step.packet, msk: step.msk, identity: step.identity };
    case 'failure': {
      const error = new IkeError({
        code: 'eap',
        message: `EAP failed: ${step.because}`,
        remedy: 'compare user name and password with the ones set up here',
      });
      return { kind: 'eap', state: 'failure', packet: step.packet, error };
    }
  }
}
