// Ways of authentication drawn from a seed, with fakes that answer (ike/auth/answers.ts). Signatures are Ed25519's, which come out the same
// each time.
import { fixedPpkId } from '../../main/ike/auth/ppk.ts';
import { parseIdentity } from '../../main/ike/identity.ts';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import type { ResponderAuthentication } from '../../main/ike/responder-config.ts';
import { answerer, authority, certificate, type FakeEap, signing } from '../ike/auth/answers.ts';
import { bytes } from './parties.ts';
import type { AnswerOptions } from './simulation.ts';

export interface DrawnAuthentication {
  readonly initiator: Partial<InitiatorConfig>;
  readonly authentication: ResponderAuthentication;
  readonly answers: AnswerOptions;
}

const PSK = bytes('correct horse battery staple');
const TRUSTED = [
  { key: certificate('ed25519', 'gateway'), names: ['gateway.example.com'] },
  { key: certificate('ed25519', 'alice'), names: ['alice@example.com'] },
];

/** undefined: plain pre-shared keys, whose answers nobody waits for. */
export function drawAuthentication(pick: <T>(...of: readonly T[]) => T): DrawnAuthentication | undefined {
  const ours = pick('psk', 'psk', 'psk', 'signature', 'eap', 'eap only', 'twice');
  const drawn = pick('psk', 'signature', 'signature');
  // RFC 7296 §2.16: beside EAP a signature.
  const gateway = ours === 'eap' ? 'signature' : drawn;
  const withPpk = pick(false, false, true);
  const eap: FakeEap = { packets: pick(1, 2, 4), ...(pick(true, false) || ours === 'eap only' ? { msk: 'key' } : {}) };
  const delay = pick<readonly [number, number]>([0, 0], [0, 100], [500, 3000]);
  if (ours === 'psk' && gateway === 'psk' && !withPpk) return undefined;

  const ppk = { id: fixedPpkId('office'), secret: bytes('a key for after the quantum') };
  const knowsPpk = pick(true, true, false);
  const byEap = { kind: 'eap', gatewayByEap: ours === 'eap only' } as const;
  const person = { identity: parseIdentity('bob@example.com'), credential: byEap };
  return {
    initiator: {
      credential:
        ours === 'psk'
          ? { kind: 'psk', secret: PSK }
          : ours === 'signature' || ours === 'twice'
            ? signing('ed25519', 'alice')
            : byEap,
      remoteAuthentication:
        gateway === 'psk' ? { kind: 'psk', secret: PSK } : { kind: 'signature', authorities: [authority('root')] },
      ...(ours === 'twice' ? { second: person } : {}),
      ...(withPpk ? { ppk: { ...ppk, required: knowsPpk } } : {}),
    },
    authentication: {
      credential: gateway === 'psk' ? { kind: 'psk' } : signing('ed25519', 'gateway'),
      rounds: ours === 'twice' ? [['signature'], ['eap']] : [['psk', 'signature', 'eap']],
      authorities: [authority('root')],
      eapOnly: true,
      ...(withPpk ? { ppk: { required: false, of: () => (knowsPpk ? ppk.secret : undefined) } } : {}),
    },
    answers: {
      client: () => answerer('client', { trusted: TRUSTED, eap }),
      gateway: () => answerer('gateway', { trusted: TRUSTED, eap }),
      delay,
    },
  };
}
