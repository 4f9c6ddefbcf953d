// Fake answers to what IKE SAs ask: keys are real, "certificates" are bare public keys (SPKI DER) with the names they are good for, EAP
// is a made-up method of so many packets.
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type SchemePolicy, signOctets, verifyOctets } from '../../../main/crypto/signature.ts';
import type { OwnCertificate, SignatureCredential } from '../../../main/ike/credential.ts';
import { IkeError } from '../../../main/ike/error.ts';
import { formatIdentity } from '../../../main/ike/identity.ts';
import type { IkeAnswer, IkeQuestion } from '../../../main/ike/questions.ts';
import { bytes } from '../../sim/parties.ts';

export type KeyName = 'rsa' | 'p256' | 'p384' | 'p521' | 'ed25519';

const pair = (name: KeyName): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } => {
  if (name === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (name === 'ed25519') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', {
    namedCurve: { p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' }[name],
  });
};

const made = new Map<string, ReturnType<typeof pair>>();
/** The same `who` has the same key in one run. */
function keyOf(kind: KeyName, who: string): ReturnType<typeof pair> {
  const known = made.get(`${kind} ${who}`) ?? pair(kind);
  made.set(`${kind} ${who}`, known);
  return known;
}

const spki = (key: KeyObject): Uint8Array => Uint8Array.from(key.export({ format: 'der', type: 'spki' }));
const sha1 = (text: string): Uint8Array => Uint8Array.from(createHash('sha1').update(text).digest());

/** 20 bytes, as CERTREQ names an authority. */
export const authority = (name: string): Uint8Array => sha1(name);

export function certificate(kind: KeyName, who: string, under = 'root'): OwnCertificate {
  const { publicKey } = keyOf(kind, who);
  return { chain: [spki(publicKey), bytes(`intermediate of ${under}`)], publicKey, authorities: [authority(under)] };
}

export const signing = (kind: KeyName, who: string, policy?: SchemePolicy): SignatureCredential => ({
  kind: 'signature',
  certificates: [certificate(kind, who)],
  policy,
});

export interface FakeEap {
  /** Requests of the authenticator before Success. */
  readonly packets?: number;
  /** undefined: the method makes no key. */
  readonly msk?: string | undefined;
  /** Who says no. */
  readonly refuses?: 'client' | 'gateway';
  /** Who the authenticator says that the peer is. */
  readonly identity?: string;
  /** The peer does it only with a gateway that has proved itself. */
  readonly needsProof?: boolean;
}

export interface FakeAnswers {
  /** Public keys of the other end that are trusted, and the names that they are good for. */
  readonly trusted?: readonly { readonly key: OwnCertificate; readonly names: readonly string[] }[];
  readonly eap?: FakeEap;
  /** Every question, as it was asked. */
  readonly asked?: IkeQuestion[];
}

const no = (code: 'peer-not-authentic' | 'peer-identity-mismatch' | 'eap', message: string): IkeAnswer => ({
  kind: 'failed',
  error: new IkeError({ code, message, remedy: 'a remedy of the fake' }),
});

const SUCCESS = 3;
const FAILURE = 4;

/** Answers of one end; one object for one IKE SA, for EAP counts. */
export function answerer(who: 'client' | 'gateway', fake: FakeAnswers = {}): (question: IkeQuestion) => IkeAnswer {
  const eapOf = new Map<number, number>();
  const { eap = {} } = fake;
  const msk = (round: number): Uint8Array | undefined =>
    eap.msk === undefined ? undefined : Uint8Array.from({ length: 64 }, (_, i) => sha1(`${eap.msk} ${round}`)[i % 20]!);

  const authenticate = (round: number): IkeAnswer => {
    const sent = eapOf.get(round) ?? 0;
    eapOf.set(round, sent + 1);
    if (sent < (eap.packets ?? 2))
      return { kind: 'eap', state: 'under-way', packet: Uint8Array.of(1, sent, 0, 5, 200) };
    if (eap.refuses === 'gateway') return { kind: 'eap', state: 'failure', packet: Uint8Array.of(FAILURE, sent, 0, 4) };
    const identity = eap.identity === undefined ? {} : { identity: eap.identity };
    return { kind: 'eap', state: 'success', packet: Uint8Array.of(SUCCESS, sent, 0, 4), msk: msk(round), ...identity };
  };

  const respond = (packet: Uint8Array, proven: boolean, round: number): IkeAnswer => {
    if (eap.needsProof && !proven) return no('eap', 'nobody has proved anything yet');
    if (eap.refuses === 'client') return no('eap', 'the person closed the question');
    if (packet[0] === SUCCESS) return { kind: 'eap', state: 'success', packet: new Uint8Array(0), msk: msk(round) };
    if (packet[0] === FAILURE) return { kind: 'eap', state: 'failure', packet: new Uint8Array(0) };
    return { kind: 'eap', state: 'under-way', packet: Uint8Array.of(2, packet[1]!, 0, 5, 200) };
  };

  return (question) => {
    fake.asked?.push(question);
    switch (question.kind) {
      case 'sign': {
        const key = [...made.values()].find((one) => Buffer.from(spki(one.publicKey)).equals(question.certificate));
        if (!key) throw new Error('a certificate of nobody');
        return { kind: 'signed', signature: signOctets(key.privateKey, question.scheme, question.octets) };
      }
      case 'verify': {
        const [der] = question.chain;
        const trusted = fake.trusted?.find(({ key }) => der && Buffer.from(key.chain[0]!).equals(der));
        if (!der || !trusted) return no('peer-not-authentic', 'a certificate of somebody else');
        const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
        if (!verifyOctets(key, question.scheme, question.octets, question.signature))
          return no('peer-not-authentic', 'a bad signature');
        for (const name of [question.identity, ...(question.expected ? [question.expected] : [])])
          if (!trusted.names.includes(formatIdentity(name)))
            return no('peer-identity-mismatch', `not good for ${formatIdentity(name)}`);
        return { kind: 'verified' };
      }
      case 'eap-begin':
        return authenticate(question.round);
      case 'eap':
        return who === 'gateway'
          ? authenticate(question.round)
          : respond(question.packet, question.gatewayProven, question.round);
      default:
        throw new Error(`"${question.kind}" is not about authentication`);
    }
  };
}
