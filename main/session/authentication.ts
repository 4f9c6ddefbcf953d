// What a profile says about authentication, opened for one connection: our keys and certificates, whom we trust, and who answers what IKE
// SAs ask (answerer.ts). Private keys stay in here, or in their store; the IKE core gets certificates and public keys.
//
//   profile ──open──▶ Authentication ──▶ InitiatorConfig (who we are, how, and how the gateway has to prove itself)
//                                    └─▶ Answerer, one for each IKE SA: sign, verify, EAP
import type { KeyObject } from 'node:crypto';
import type { RandomBytes } from '../crypto/random.ts';
import { DEFAULT_SCHEME_POLICY, type SchemePolicy } from '../crypto/signature.ts';
import { createEapPeer } from '../eap/create-peer.ts';
import { checkBy } from '../eap/server-trust.ts';
import type { EapClientCertificate, EapPeer, EapPeerStep, EapSecrets } from '../eap/types.ts';
import { fixedPpkId } from '../ike/auth/ppk.ts';
import type { Credential, RemoteAuthentication } from '../ike/credential.ts';
import { IkeError } from '../ike/error.ts';
import { type Identity, identityOfAddress, parseIdentity } from '../ike/identity.ts';
import type { InitiatorConfig } from '../ike/initiator-config.ts';
import type { IkeAnswer, IkeQuestion } from '../ike/questions.ts';
import { answerSign, answerVerify, ikeError } from '../pki/answer.ts';
import type { Certificate } from '../pki/certificate.ts';
import { type CredentialSource, openCredential, pair, readCertificates, readPrivateKey } from '../pki/credential.ts';
import { type Crl, parseCrl } from '../pki/crl.ts';
import { isPkiError, PkiError } from '../pki/error.ts';
import { type Fetch, httpFetch } from '../pki/fetch.ts';
import { distinguishedNameIdentity, ownIdentity, sameDistinguishedName } from '../pki/identity.ts';
import { ownCertificate, type SigningKey } from '../pki/key.ts';
import type { KeyStore } from '../pki/key-store.ts';
import { CRL_LABELS, derObjects } from '../pki/pem.ts';
import { readPkcs12 } from '../pki/pkcs12.ts';
import { DEFAULT_TRUST_POLICY, LEGACY_TRUST_POLICY } from '../pki/policy.ts';
import type { RevocationCache } from '../pki/revocation.ts';
import { createTrust, type Trust } from '../pki/trust.ts';
import type { GatewayAuthentication, ProfileCertificate, ProfileEap, ProfileRound } from '../profile/authentication.ts';
import type { Profile } from '../profile/profile.ts';
import type { Address } from '../wire/address.ts';
import type { Answerer, CreateAnswerer } from './answerer.ts';

export interface AuthenticationDeps {
  readonly random: RandomBytes;
  /** Unix time in milliseconds. */
  readonly wall: () => number;
  readonly log: (level: 'debug' | 'info' | 'warn', text: string) => void;
  /** Stores of keys that never leave them, by the name that profiles use. */
  readonly keyStores?: ReadonlyMap<string, KeyStore> | undefined;
  /** For CRLs and OCSP; default: HTTP by the routes of the system. */
  readonly fetch?: Fetch | undefined;
  /** Shared between connections. */
  readonly revocationCache?: RevocationCache | undefined;
}

/** The part of an InitiatorConfig that is about who is who. */
export type WhoIsWho = Pick<
  InitiatorConfig,
  'identity' | 'remoteIdentity' | 'sameNames' | 'credential' | 'remoteAuthentication' | 'second' | 'ppk'
>;

export interface Authentication {
  /** `local`: our address, which is who we are where nothing else says so. */
  config(local: Address): WhoIsWho;
  readonly createAnswerer: CreateAnswerer;
  /** Forgets keys. */
  close(): void;
}

/** Rejects with an IkeError of code `configuration` where keys or certificates of the profile cannot be used. */
export async function openAuthentication(profile: Profile, deps: AuthenticationDeps): Promise<Authentication> {
  const { gateway, authentication } = profile;
  const keys: SigningKey[] = [];
  const close = (): void => {
    for (const key of keys) key.close();
  };
  try {
    const opened = await Promise.all(
      [authentication, ...(authentication.second ? [authentication.second] : [])].map((round) =>
        openRound(round, gateway.authentication, deps, keys),
      ),
    );
    const [first, second] = opened;
    if (!first) throw new Error('a profile has an authentication');
    const trust = trustOf(gateway.authentication, deps);
    const remoteIdentity = gateway.identity === null ? undefined : identityOf(gateway.identity);
    const remoteAuthentication = remoteOf(gateway.authentication, gateway.host, trust);
    const { ppk } = authentication;
    return {
      config: (local) => ({
        identity: first.identity ?? identityOfAddress(local),
        remoteIdentity,
        ...(remoteIdentity?.type === 'der-dn' && { sameNames: sameDistinguishedName }),
        credential: first.credential,
        ...(remoteAuthentication && { remoteAuthentication }),
        ...(second && {
          second: { identity: second.identity ?? identityOfAddress(local), credential: second.credential },
        }),
        ...(ppk && { ppk: { id: fixedPpkId(ppk.id), secret: ppk.secret, required: ppk.required } }),
      }),
      createAnswerer: (of, secrets) => createAnswerer(of, secrets, { keys, trust, deps, rounds: opened }),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface OpenedRound {
  readonly identity: Identity | undefined;
  readonly credential: Credential;
  readonly round: ProfileRound;
  /** For EAP-TLS. */
  readonly clientCertificate: EapClientCertificate | undefined;
  /** For the server of the TLS methods. */
  readonly eapTrust: Trust | undefined;
}

async function openRound(
  round: ProfileRound,
  gateway: GatewayAuthentication | undefined,
  deps: AuthenticationDeps,
  keys: SigningKey[],
): Promise<OpenedRound> {
  const identity = round.identity === null ? undefined : identityOf(round.identity);
  const none = { round, clientCertificate: undefined, eapTrust: undefined };
  switch (round.method) {
    case 'psk':
      return { ...none, identity, credential: { kind: 'psk', secret: round.secret } };
    case 'certificate': {
      const own = round.certificate;
      if (!own) throw new Error('the method "certificate" has a certificate');
      const key = ours(await openCredential(sourceOf(own, deps)));
      keys.push(key);
      const policy: SchemePolicy = { ...DEFAULT_SCHEME_POLICY, sha1: legacyIn(gateway), rsaPadding: own.rsaPadding };
      return {
        ...none,
        identity: ours(ownIdentity(key.certificate, identity)),
        credential: { kind: 'signature', certificates: [ownCertificate(key)], policy },
      };
    }
    case 'eap': {
      const username = round.eap?.username;
      return {
        round,
        identity: identity ?? (username ? parseIdentity(username) : undefined),
        credential: { kind: 'eap', gatewayByEap: round.eap?.gatewayByEap ?? false },
        clientCertificate: round.eap?.certificate ? clientCertificate(round.eap.certificate) : undefined,
        eapTrust: round.eap?.methods.some(isOverTls) ? eapTrustOf(round.eap, gateway, deps) : undefined,
      };
    }
  }
}

function sourceOf(own: ProfileCertificate, deps: AuthenticationDeps): CredentialSource {
  const { certificate, key, pkcs12, storedKey } = own;
  const passphrase = own.passphrase ?? undefined;
  if (pkcs12) return { kind: 'pkcs12', file: pkcs12, passphrase };
  if (storedKey) {
    const store = deps.keyStores?.get(storedKey.store);
    if (!store)
      throw new IkeError({
        code: 'configuration',
        message: `the profile wants a key out of the store "${storedKey.store}", which this computer does not have`,
        remedy: 'connect the token, or ask the administrator for a profile with a key that this computer has',
      });
    return { kind: 'store', store, key: storedKey.name, passphrase, certificates: certificate ?? undefined };
  }
  if (!certificate || !key) throw new Error('a checked profile has certificate and key');
  return { kind: 'pem', certificates: certificate, key, passphrase };
}

/** TLS takes PEM, unencrypted: a copy of the key that lives as long as the connection. */
function clientCertificate(own: ProfileCertificate): EapClientCertificate | undefined {
  const passphrase = own.passphrase ?? '';
  if (own.pkcs12) {
    const content = ours(readPkcs12(own.pkcs12, passphrase));
    const [key] = content.keys;
    if (!key) throw ikeError(new PkiError({ code: 'no-private-key', what: 'the PKCS#12 file' }), 'ours');
    // Its own certificate first, as in AUTH.
    const { chain } = ours(pair(key, content.certificates));
    return { certificate: chain.map(pemOf).join(''), key: unencrypted(key) };
  }
  if (!own.certificate || !own.key) return undefined;
  const certificates = ours(readCertificates(own.certificate, 'the certificate file'));
  const key = ours(readPrivateKey(own.key, own.passphrase ?? undefined));
  const { chain } = ours(pair(key, certificates));
  return { certificate: chain.map(pemOf).join(''), key: unencrypted(key) };
}

const unencrypted = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END CERTIFICATE-----\n`;

/** "CN=…" is a distinguished name, everything else as identity.ts has it. */
function identityOf(text: string): Identity {
  return text.includes('=') ? ours(distinguishedNameIdentity(text)) : parseIdentity(text);
}

const isOverTls = (method: ProfileEap['methods'][number]): boolean =>
  method === 'tls' || method === 'ttls' || method === 'peap';

const legacyIn = (gateway: GatewayAuthentication | undefined): boolean =>
  gateway?.method === 'certificate' && gateway.legacy;

/**
 * Whom we take for the EAP server, often a RADIUS server behind the gateway. Its names may stand in the subject alone, or be
 * wildcards, as web servers' are; that is what TLS clients take.
 */
function eapTrustOf(eap: ProfileEap, gateway: GatewayAuthentication | undefined, deps: AuthenticationDeps): Trust {
  const policy = legacyIn(gateway) ? LEGACY_TRUST_POLICY : DEFAULT_TRUST_POLICY;
  return createTrust({
    authorities: eap.authorities
      ? eap.authorities.flatMap((file): readonly Certificate[] =>
          ours(readCertificates(file, 'a certificate of an authority for EAP in the profile')),
        )
      : 'well-known',
    clock: deps.wall,
    policy: { ...policy, nameInSubject: true, wildcards: true },
    ...(gateway?.method === 'certificate' && { revocation: revocationOf(gateway, deps) }),
    warn: ({ text }) => deps.log('warn', text),
  });
}

function revocationOf(
  gateway: Extract<GatewayAuthentication, { readonly method: 'certificate' }>,
  deps: AuthenticationDeps,
) {
  const { revocationCache: cache } = deps;
  return {
    mode: gateway.revocation,
    crls: gateway.crls.flatMap((file): readonly Crl[] =>
      derObjects(file, CRL_LABELS).map((der) => ours(parseCrl(der))),
    ),
    fetch: deps.fetch ?? httpFetch(),
    ...(cache && { cache }),
  };
}

function trustOf(gateway: GatewayAuthentication | undefined, deps: AuthenticationDeps): Trust | undefined {
  if (gateway?.method !== 'certificate') return undefined;
  return createTrust({
    authorities: gateway.authorities
      ? gateway.authorities.flatMap((file): readonly Certificate[] =>
          ours(readCertificates(file, 'a certificate of an authority in the profile')),
        )
      : 'well-known',
    clock: deps.wall,
    policy: gateway.legacy ? LEGACY_TRUST_POLICY : DEFAULT_TRUST_POLICY,
    revocation: revocationOf(gateway, deps),
    warn: ({ text }) => deps.log('warn', text),
  });
}

function remoteOf(
  gateway: GatewayAuthentication | undefined,
  host: string,
  trust: Trust | undefined,
): RemoteAuthentication | undefined {
  if (!gateway) return undefined;
  if (gateway.method === 'psk') return { kind: 'psk', secret: gateway.secret };
  return { kind: 'signature', authorities: trust?.authorityHashes ?? [], name: parseIdentity(host) };
}

interface Answering {
  readonly keys: readonly SigningKey[];
  readonly trust: Trust | undefined;
  readonly deps: AuthenticationDeps;
  readonly rounds: readonly OpenedRound[];
}

function createAnswerer(profile: Profile, secrets: EapSecrets, { keys, trust, deps, rounds }: Answering): Answerer {
  /** By round: each is a conversation of its own (RFC 4739 §1). */
  const peers = new Map<number, EapPeer>();

  const peerOf = (round: number, gatewayProven: boolean): EapPeer => {
    const known = peers.get(round);
    if (known) return known;
    const opened = rounds[round];
    const eap = opened?.round.eap;
    if (!opened || !eap) throw new Error(`round ${round} is no EAP`);
    const serverNames = eap.serverNames ?? [profile.gateway.host];
    const peer = createEapPeer(
      {
        methods: eap.methods,
        username: eap.username ?? opened.round.identity ?? '',
        anonymousIdentity: eap.anonymousIdentity ?? undefined,
        inner: eap.inner ?? undefined,
        gtc: eap.gtc,
        trust: opened.eapTrust && { authorities: [], serverNames, check: checkBy(opened.eapTrust, serverNames) },
        clientCertificate: opened.clientCertificate,
        gatewayProven,
      },
      { random: deps.random, secrets, log: deps.log },
    );
    peers.set(round, peer);
    return peer;
  };

  return {
    async answer(question: IkeQuestion): Promise<IkeAnswer> {
      switch (question.kind) {
        case 'sign':
          return answerSign(keys, question);
        case 'verify':
          return trust
            ? answerVerify(trust, question, 'gateway')
            : { kind: 'failed', error: ikeError(new PkiError({ code: 'no-certificate' }), 'theirs') };
        case 'eap':
          return eapAnswer(await peerOf(question.round, question.gatewayProven).process(question.packet));
        default:
          throw new Error(`an initiator does not ask "${question.kind}"`);
      }
    },
    close() {
      for (const peer of peers.values()) peer.close();
    },
  };
}

function eapAnswer(step: EapPeerStep): IkeAnswer {
  switch (step.state) {
    case 'under-way':
      return { kind: 'eap', state: 'under-way', packet: step.packet };
    case 'success':
      return { kind: 'eap', state: 'success', packet: step.packet, msk: step.msk };
    case 'failure':
      return { kind: 'eap', state: 'failure', packet: step.packet, error: step.error };
  }
}

/** What is wrong with files of the profile is configuration. */
function ours<T>(value: T | PkiError): T {
  if (isPkiError(value)) throw ikeError(value, 'ours');
  return value;
}
