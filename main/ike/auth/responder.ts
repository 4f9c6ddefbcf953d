// IKE_AUTH, the responder's side, as one conversation (RFC 7296 §1.2, §2.15, §2.16, §2.21.2; RFC 4739, 5998, 7427, 8784). The messages
// are drawn in initiator.ts. What a peer has to do in which round is the configuration's; a name that nobody knows is refused like a
// wrong secret, after the same work.
import { chooseScheme, decodeAuthentication, encodeAuthentication } from '../../crypto/signature.ts';
import { isWireError } from '../../wire/error.ts';
import { formatIdentity, type Identity, parseIdentity } from '../identity.ts';
import type { Message } from '../message.ts';
import { notifiedIn, says } from '../notifies.ts';
import { NotifyType } from '../notify.ts';
import { AuthMethod } from '../payload/auth.ts';
import { identityBytes } from '../payload/id.ts';
import { type Payload, type PayloadOf, payloadOf } from '../payload/payload.ts';
import type { AuthenticationKind, ResponderAuthentication, ResponderConfig } from '../responder-config.ts';
import type { IkeSa } from '../sa.ts';
import { type Announced, notifyWith, requestedAuthorities } from './announced.ts';
import { certPayloads, chainIn, chooseCertificate } from './certificates.ts';
import { ask, type Conversation, exchange } from './conversation.ts';
import { adoptMixed, mixPpk, wipeMixed } from './ppk.ts';
import { pskAuth, verifyPskAuth } from './psk.ts';
import { signedBy, signedOctets } from './signed-octets.ts';

/** EAP packets of ours in one conversation. */
const MOST_EAP_PACKETS = 200;

/** Pre-shared keys both ways. */
export const PSK_ONLY: ResponderAuthentication = { credential: { kind: 'psk' }, rounds: [['psk']], authorities: [] };

export interface ResponderTerms {
  readonly config: Pick<ResponderConfig, 'identity' | 'secretOf' | 'authentication'>;
  readonly sa: IkeSa;
  /** What the peer said in IKE_SA_INIT. */
  readonly announced: Announced;
}

export type ResponderEnd =
  | {
      readonly kind: 'authenticated';
      /** Who it is: by EAP where EAP says so, else its last IDi. */
      readonly peer: Identity;
      /** What goes into the last response in front of the CHILD SA's. */
      readonly payloads: readonly Payload[];
      /** The peer said INITIAL_CONTACT. */
      readonly initialContact: boolean;
      /** RFC 8784: the PPK is in the keys. */
      readonly ppk: boolean;
    }
  /** Answered with `payloads`: the IKE SA goes. */
  | { readonly kind: 'refused'; readonly payloads: readonly Payload[]; readonly why: string };

type Refused = Extract<ResponderEnd, { readonly kind: 'refused' }>;

/** `first`: the first request of IKE_AUTH. */
export function authenticateResponder(terms: ResponderTerms, first: Message): Conversation<ResponderEnd> {
  return new ResponderConversation(terms).run(first);
}

interface Peer {
  readonly idi: PayloadOf<'idi'>;
  readonly identity: Identity;
  readonly round: number;
}

/** A round is over: what the response to it says, and whether the peer goes on to another. */
interface RoundDone {
  readonly kind: 'done';
  readonly peer: Identity;
  readonly payloads: readonly Payload[];
  readonly another: boolean;
}

class ResponderConversation {
  readonly #config: ResponderTerms['config'];
  readonly #rules: ResponderAuthentication;
  readonly #sa: IkeSa;
  readonly #announced: Announced;
  readonly #idPayload: Uint8Array;
  /** We have sent IDr, CERT and AUTH. */
  #proven = false;
  #ppk = false;

  constructor({ config, sa, announced }: ResponderTerms) {
    this.#config = config;
    this.#rules = config.authentication ?? PSK_ONLY;
    this.#sa = sa;
    this.#announced = announced;
    this.#idPayload = identityBytes(config.identity);
  }

  *run(first: Message): Conversation<ResponderEnd> {
    const { rounds } = this.#rules;
    const initialContact = says(first.payloads, NotifyType.INITIAL_CONTACT);
    let request = first;
    for (let round = 0; ; round++) {
      const kinds = rounds[round];
      const idi = payloadOf(request.payloads, 'idi');
      if (!idi) return refused('it does not say who it is');
      const peer = { idi, identity: idi.identity, round };
      if (!kinds) return refused(`${formatIdentity(peer.identity)}: one authentication more than there is`);
      const done = payloadOf(request.payloads, 'auth')
        ? yield* this.#byAuth(peer, kinds, request)
        : yield* this.#byEap(peer, kinds, request);
      if (done.kind === 'refused') return done;
      if (done.another && rounds.length === round + 1)
        return refused(`${formatIdentity(done.peer)}: it wants to authenticate once more, which nothing here asks for`);
      if (!done.another && rounds.length > round + 1)
        return refused(`${formatIdentity(done.peer)}: it has to authenticate once more (RFC 4739), and does not`);
      if (!done.another) {
        const { peer: who, payloads } = done;
        return { kind: 'authenticated', peer: who, payloads, initialContact, ppk: this.#ppk };
      }
      request = yield* exchange(done.payloads);
    }
  }

  // A round by pre-shared key or signature.

  *#byAuth(peer: Peer, kinds: readonly AuthenticationKind[], request: Message): Conversation<RoundDone | Refused> {
    const auth = payloadOf(request.payloads, 'auth');
    if (!auth) throw new Error('this round has AUTH');
    const name = formatIdentity(peer.identity);
    const kind = auth.method === AuthMethod.SHARED_KEY ? 'psk' : 'signature';
    if (!kinds.includes(kind))
      return refused(`${name}: it authenticates with method ${auth.method}, not by ${kinds.join(' or ')}`);
    const data = this.#settlePpk(peer, request, auth.data);
    if (!(data instanceof Uint8Array)) return data;
    const refusal =
      kind === 'psk' ? this.#verifyPsk(peer, data) : yield* this.#verifySignature(peer, request, auth.method, data);
    if (refusal) return refusal;
    const own = yield* this.#prove(peer, request);
    if (!Array.isArray(own)) return own;
    return {
      kind: 'done',
      peer: peer.identity,
      payloads: [...own, ...this.#ppkPayload(peer)],
      another: says(request.payloads, NotifyType.ANOTHER_AUTH_FOLLOWS),
    };
  }

  #verifyPsk({ idi, identity }: Peer, data: Uint8Array): Refused | undefined {
    const { suite, keys, Nr } = this.#sa;
    const known = this.#config.secretOf(identity);
    const signed = signedBy('initiator', this.#sa, keys, idi.raw ?? identityBytes(identity));
    const authentic = verifyPskAuth(suite.prf, known ?? Nr, signed, data);
    if (known && authentic) return undefined;
    const name = formatIdentity(identity);
    return refused(known ? `${name}: its secret is wrong` : `nobody here is called ${name}`);
  }

  *#verifySignature(
    { idi, identity }: Peer,
    request: Message,
    method: number,
    data: Uint8Array,
  ): Conversation<Refused | undefined> {
    const { suite, keys } = this.#sa;
    const name = formatIdentity(identity);
    const decoded = decodeAuthentication(method, data);
    if (decoded === undefined) return refused(`${name}: it authenticates with method ${method}`);
    if (isWireError(decoded)) return refused(`${name}: ${decoded.toString()}`);
    const octets = signedOctets(suite.prf, signedBy('initiator', this.#sa, keys, idi.raw ?? identityBytes(identity)));
    const answer = yield* ask({ kind: 'verify', ...decoded, octets, chain: chainIn(request.payloads), identity });
    if (answer.kind === 'failed') return refused(`${name}: ${answer.error.message}`);
    if (answer.kind !== 'verified') throw new Error('"verify" is answered by yes or no');
    return undefined;
  }

  /** IDr, CERT+ and AUTH of ours; nothing where the peer has them already. */
  *#prove({ identity }: Peer, request: Message): Conversation<Payload[] | Refused> {
    if (this.#proven) return [];
    this.#proven = true;
    const { suite, keys } = this.#sa;
    const { credential } = this.#rules;
    const idr: Payload = { kind: 'idr', identity: this.#config.identity };
    const signed = signedBy('responder', this.#sa, keys, this.#idPayload);
    if (credential.kind === 'psk') {
      const secret = this.#config.secretOf(identity);
      if (!secret) return refused(`nobody here is called ${formatIdentity(identity)}`);
      return [idr, { kind: 'auth', method: AuthMethod.SHARED_KEY, data: pskAuth(suite.prf, secret, signed) }];
    }
    const own = chooseCertificate(credential.certificates, requestedAuthorities(request.payloads));
    const scheme = chooseScheme(own.publicKey, this.#announced.hashes, credential.policy);
    if (!scheme) return refused(`${formatIdentity(identity)}: it takes no signature that our key can make`);
    const certificate = own.chain[0] ?? new Uint8Array(0);
    const answer = yield* ask({ kind: 'sign', scheme, octets: signedOctets(suite.prf, signed), certificate });
    if (answer.kind === 'failed') return refused(`we could not sign: ${answer.error.message}`);
    if (answer.kind !== 'signed') throw new Error('"sign" is answered by a signature');
    return [idr, ...certPayloads(own.chain), { kind: 'auth', ...encodeAuthentication(scheme, answer.signature) }];
  }

  // A round by EAP (RFC 7296 §2.16).

  *#byEap(peer: Peer, kinds: readonly AuthenticationKind[], request: Message): Conversation<RoundDone | Refused> {
    const { identity, round } = peer;
    const name = formatIdentity(identity);
    if (!kinds.includes('eap')) return refused(`${name}: it wants EAP`);
    const byEapAlone =
      round === 0 && this.#rules.eapOnly === true && says(request.payloads, NotifyType.EAP_ONLY_AUTHENTICATION);
    // RFC 7296 §2.16: a signature. AUTH by the peer's secret, before it has proved anything, would let anybody try out secrets at leisure.
    if (!byEapAlone && !this.#proven && this.#rules.credential.kind === 'psk')
      return refused(`${name}: it wants EAP, and we have no certificate to prove first who we are`);
    let front: readonly Payload[] = [{ kind: 'idr', identity: this.#config.identity }];
    if (!byEapAlone) {
      const own = yield* this.#prove(peer, request);
      if (!Array.isArray(own)) return own;
      front = own;
    }
    let msk: Uint8Array | undefined;
    try {
      let who = identity;
      let answer = yield* ask({ kind: 'eap-begin', identity, round });
      let message: Message | undefined;
      for (let packets = 0; !message; packets++) {
        if (answer.kind === 'failed') return refused(`${name}: ${answer.error.message}`);
        if (answer.kind !== 'eap') throw new Error('"eap" is answered by EAP');
        msk = answer.msk;
        const payloads = [...(packets === 0 ? front : []), ...(answer.packet.length > 0 ? [eap(answer.packet)] : [])];
        if (answer.state === 'failure')
          return refused(`${name}: ${answer.error?.message ?? 'EAP failed'}`, [
            ...payloads,
            notifyWith(NotifyType.AUTHENTICATION_FAILED),
          ]);
        if (packets >= MOST_EAP_PACKETS) return refused(`${name}: its EAP does not come to an end`);
        const next = yield* exchange(payloads);
        if (answer.state === 'success') {
          if (answer.identity !== undefined) who = parseIdentity(answer.identity);
          message = next;
          break;
        }
        const packet = payloadOf(next.payloads, 'eap');
        if (!packet) return refused(`${name}: it broke EAP off`);
        answer = yield* ask({ kind: 'eap', packet: packet.data, gatewayProven: this.#proven, round });
      }
      // RFC 5998 §3: without a key nobody has proved anything to the peer.
      if (byEapAlone && !msk)
        return refused(`${name}: its EAP method makes no key, and nothing else proves who we are`);
      return message ? this.#endOfEap(peer, who, message, msk) : refused(`${name}: it broke EAP off`);
    } finally {
      msk?.fill(0);
    }
  }

  /** AUTH of both ends by the key that EAP made, or by SK_pi and SK_pr where it made none. */
  #endOfEap(peer: Peer, who: Identity, request: Message, msk: Uint8Array | undefined): RoundDone | Refused {
    const { suite, keys } = this.#sa;
    const name = formatIdentity(peer.identity);
    const auth = payloadOf(request.payloads, 'auth');
    if (!auth || auth.method !== AuthMethod.SHARED_KEY) return refused(`${name}: no AUTH at the end of EAP`);
    const data = this.#settlePpk(peer, request, auth.data);
    if (!(data instanceof Uint8Array)) return data;
    const theirs = signedBy('initiator', this.#sa, keys, peer.idi.raw ?? identityBytes(peer.idi.identity));
    if (!verifyPskAuth(suite.prf, msk ?? keys.SK_pi, theirs, data))
      return refused(`${name}: it does not know the key that EAP has made`);
    const AUTH = pskAuth(suite.prf, msk ?? keys.SK_pr, signedBy('responder', this.#sa, keys, this.#idPayload));
    // Who proved itself by EAP alone has proved itself now (RFC 5998).
    this.#proven = true;
    return {
      kind: 'done',
      peer: who,
      payloads: [{ kind: 'auth', method: AuthMethod.SHARED_KEY, data: AUTH }, ...this.#ppkPayload(peer)],
      another: says(request.payloads, NotifyType.ANOTHER_AUTH_FOLLOWS),
    };
  }

  // Post-quantum keys.

  /** RFC 8784 §3, Table 1: puts the PPK into the keys, or not. Returns the authentication data that counts then. */
  #settlePpk({ identity, round }: Peer, { payloads }: Message, data: Uint8Array): Uint8Array | Refused {
    const { ppk } = this.#rules;
    if (round > 0 || !ppk) return data;
    const name = formatIdentity(identity);
    if (!this.#announced.usePpk)
      return ppk.required ? refused(`${name}: it uses no post-quantum key (PPK), which is required here`) : data;
    const id = notifiedIn(payloads, NotifyType.PPK_IDENTITY);
    if (!id) return refused(`${name}: it does not say which post-quantum key (PPK) it uses`);
    const secret = ppk.of(id, identity);
    if (secret) {
      const { suite, keys } = this.#sa;
      const mixed = mixPpk(suite.prf, secret, keys);
      adoptMixed(keys, mixed);
      wipeMixed(mixed);
      this.#ppk = true;
      return data;
    }
    const without = notifiedIn(payloads, NotifyType.NO_PPK_AUTH);
    if (ppk.required || !without) return refused(`${name}: its post-quantum key (PPK) is unknown here`);
    return without;
  }

  #ppkPayload({ round }: Peer): readonly Payload[] {
    return round === 0 && this.#ppk ? [notifyWith(NotifyType.PPK_IDENTITY)] : [];
  }
}

const eap = (data: Uint8Array): Payload => ({ kind: 'eap', data });

const refused = (
  why: string,
  payloads: readonly Payload[] = [notifyWith(NotifyType.AUTHENTICATION_FAILED)],
): Refused => ({ kind: 'refused', payloads, why });
