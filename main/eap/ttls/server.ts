// Inside EAP-TTLS (RFC 5281 §11.2), the authenticator's half.
import { equalConstantTime } from '../../crypto/constant-time.ts';
import { isWireError } from '../../wire/error.ts';
import { authenticatorResponse, ntResponse, passwordHash } from '../mschapv2/response.ts';
import { decodeEap, EAP_TYPE } from '../packet.ts';
import type { ServerConversation } from '../server.ts';
import type { TlsEngine } from '../tls/engine.ts';
import { tlsMsk } from '../tls/keys.ts';
import type { InsideServerStep, ServerInside } from '../tls/server.ts';
import { takes } from '../token-server.ts';
import type { EapAccount, EapInnerName } from '../types.ts';
import { type AVP, type Avp, avpOf, decodeAvps, encodeAvps, isAvp } from './avp.ts';
import { implicitChallenge } from './challenge.ts';

export interface TtlsServerConfig {
  readonly allowed: readonly EapInnerName[];
  readonly account: (identity: string) => EapAccount | null;
  /** For EAP inside. */
  readonly conversation: (identity: string) => ServerConversation;
}

const EMPTY = new Uint8Array(0);

export class TtlsServerInside implements ServerInside {
  readonly #config: TtlsServerConfig;
  #inner: ServerConversation | undefined;
  /** Proven, the client has to acknowledge that it believes us. */
  #accepted: string | undefined;

  constructor(config: TtlsServerConfig) {
    this.#config = config;
  }

  /** The client speaks first. */
  async opening(): Promise<Uint8Array> {
    return EMPTY;
  }

  async turn(data: Uint8Array, engine: TlsEngine): Promise<InsideServerStep> {
    if (this.#accepted !== undefined)
      return { kind: 'success', msk: tlsMsk(engine, EAP_TYPE.ttls), identity: this.#accepted };
    if (data.length === 0) return { kind: 'say', plain: EMPTY };
    const avps = decodeAvps(data);
    if (isWireError(avps)) return { kind: 'failure', because: avps.toString() };
    const eap = avps.filter((avp) => isAvp(avp, 'eapMessage'));
    if (eap.length > 0) return this.#eap(Uint8Array.from(eap.flatMap((part) => [...part.data])), engine);
    const name = find(avps, 'userName');
    const identity = new TextDecoder().decode(name ?? EMPTY);
    const pap = find(avps, 'userPassword');
    if (name && pap && this.#config.allowed.includes('pap')) return this.#pap(identity, pap, engine);
    const chap = find(avps, 'msChap2Response');
    if (name && chap && this.#config.allowed.includes('mschapv2'))
      return this.#msChapV2(identity, find(avps, 'msChapChallenge') ?? EMPTY, chap, engine);
    return { kind: 'failure', because: 'nothing inside that is allowed' };
  }

  close(): void {
    this.#inner?.close();
  }

  #pap(identity: string, padded: Uint8Array, engine: TlsEngine): InsideServerStep {
    const end = padded.indexOf(0);
    const password = new TextDecoder().decode(end < 0 ? padded : padded.subarray(0, end));
    return takes(this.#config.account(identity), password)
      ? { kind: 'success', msk: tlsMsk(engine, EAP_TYPE.ttls), identity }
      : { kind: 'failure', because: 'the user name or password is wrong' };
  }

  #msChapV2(identity: string, challenge: Uint8Array, response: Uint8Array, engine: TlsEngine): InsideServerStep {
    const implicit = implicitChallenge(engine);
    if (
      response.length !== 50 ||
      response[0] !== implicit.identifier ||
      !equalConstantTime(challenge, implicit.challenge)
    )
      return { kind: 'failure', because: 'not the challenge of this TLS session' };
    const account = this.#config.account(identity);
    const challenges = { authenticator: challenge, peer: response.slice(2, 18), username: identity };
    const hash = passwordHash(account?.password ?? '');
    const given = response.slice(26, 50);
    const right = equalConstantTime(ntResponse(challenges, hash), given) && account !== null;
    const proof = authenticatorResponse(challenges, hash, given);
    hash.fill(0);
    if (!right) return { kind: 'failure', because: 'the user name or password is wrong' };
    this.#accepted = identity;
    const text = `S=${Buffer.from(proof).toString('hex').toUpperCase()}`;
    const success = Uint8Array.of(implicit.identifier, ...new TextEncoder().encode(text));
    return { kind: 'say', plain: encodeAvps([avpOf('msChap2Success', success)]) };
  }

  async #eap(packet: Uint8Array, engine: TlsEngine): Promise<InsideServerStep> {
    let step: Awaited<ReturnType<ServerConversation['process']>>;
    if (this.#inner === undefined) {
      const first = decodeEap(packet);
      if (isWireError(first) || first.kind !== 'response' || first.type !== EAP_TYPE.identity)
        return { kind: 'failure', because: 'EAP inside does not begin with an identity' };
      const identity = new TextDecoder().decode(first.data);
      this.#inner = this.#config.conversation(identity);
      step = await this.#inner.begin(identity);
    } else step = await this.#inner.process(packet);
    switch (step.state) {
      case 'under-way':
        return { kind: 'say', plain: encodeAvps([avpOf('eapMessage', step.packet)]) };
      case 'success':
        step.msk?.fill(0);
        return { kind: 'success', msk: tlsMsk(engine, EAP_TYPE.ttls), identity: step.identity };
      case 'failure':
        return { kind: 'failure', because: step.because };
    }
  }
}

const find = (avps: readonly Avp[], name: keyof typeof AVP): Uint8Array | undefined =>
  avps.find((avp) => isAvp(avp, name))?.data;
