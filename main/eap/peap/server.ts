// Inside PEAP version 0, the authenticator's half (the flow is drawn in peer.ts). It asks for cryptobinding where told to.

import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { isWireError } from '../../wire/error.ts';
import { decodeEap, EAP_TYPE, encodeEap } from '../packet.ts';
import type { ServerConversation } from '../server.ts';
import type { TlsEngine } from '../tls/engine.ts';
import { keyMaterial, tlsMsk } from '../tls/keys.ts';
import type { InsideServerStep, ServerInside } from '../tls/server.ts';
import type { EapServerStep } from '../types.ts';
import { boundMsk, type CompoundKeys, compoundKeys, compoundMac, innerSessionKey } from './binding.ts';
import { bindingTlv, decodeBinding, decodeTlvs, encodeTlvs, RESULT, resultTlv, TLV, unpack } from './tlv.ts';

export interface PeapServerConfig {
  readonly inner: ServerConversation;
  readonly cryptobinding: boolean;
  readonly random: RandomBytes;
}

type State =
  | { readonly kind: 'inner'; readonly begun: boolean }
  | {
      readonly kind: 'result';
      readonly identity: string;
      readonly keys: CompoundKeys | undefined;
      readonly nonce: Uint8Array;
    }
  /** The Result says failure; whatever the client answers, this is the end. */
  | { readonly kind: 'refused'; readonly because: string };

export class PeapServerInside implements ServerInside {
  readonly #config: PeapServerConfig;
  #state: State = { kind: 'inner', begun: false };

  constructor(config: PeapServerConfig) {
    this.#config = config;
  }

  async opening(engine: TlsEngine, next: number): Promise<Uint8Array> {
    const step = await this.turn(new Uint8Array(0), engine, next);
    return step.kind === 'say' ? step.plain : new Uint8Array(0);
  }

  async turn(data: Uint8Array, engine: TlsEngine, next: number): Promise<InsideServerStep> {
    const state = this.#state;
    switch (state.kind) {
      case 'inner': {
        if (!state.begun) {
          this.#state = { kind: 'inner', begun: true };
          return this.#inner(await this.#config.inner.begin(''), engine, next);
        }
        if (data.length === 0) return { kind: 'failure', because: 'nothing inside PEAP where an answer is due' };
        const { packet } = unpack(data, { kind: 'response', identifier: this.#config.inner.identifier });
        return this.#inner(await this.#config.inner.process(packet), engine, next);
      }
      case 'result':
        return this.#conclude(data, state, engine);
      case 'refused':
        return { kind: 'failure', because: state.because };
    }
  }

  close(): void {
    this.#config.inner.close();
    if (this.#state.kind === 'result') for (const key of Object.values(this.#state.keys ?? {})) key.fill(0);
  }

  #inner(step: EapServerStep, engine: TlsEngine, next: number): InsideServerStep {
    switch (step.state) {
      case 'under-way':
        return { kind: 'say', plain: step.packet.slice(4) };
      case 'failure':
        this.#state = { kind: 'refused', because: step.because };
        return { kind: 'say', plain: extensions(next, [resultTlv(RESULT.failure)]) };
      case 'success': {
        const nonce = this.#config.random(32);
        const keys = this.#config.cryptobinding ? this.#keys(step.msk, engine) : undefined;
        step.msk?.fill(0);
        this.#state = { kind: 'result', identity: step.identity, keys, nonce };
        const request = { version: 0, receivedVersion: 0, subtype: 'request', nonce } as const;
        const binding = keys ? [bindingTlv({ ...request, mac: compoundMac(keys.cmk, request) })] : [];
        return { kind: 'say', plain: extensions(next, [resultTlv(RESULT.success), ...binding]) };
      }
    }
  }

  #keys(msk: Uint8Array | undefined, engine: TlsEngine): CompoundKeys {
    const tunnel = keyMaterial(engine, EAP_TYPE.peap);
    const isk = innerSessionKey(msk);
    const keys = compoundKeys(tunnel, isk);
    tunnel.fill(0);
    isk.fill(0);
    return keys;
  }

  #conclude(
    data: Uint8Array,
    { identity, keys, nonce }: Extract<State, { readonly kind: 'result' }>,
    engine: TlsEngine,
  ): InsideServerStep {
    const packet = decodeEap(data);
    if (isWireError(packet) || packet.kind !== 'response' || packet.type !== EAP_TYPE.extensions)
      return { kind: 'failure', because: 'no Result inside PEAP' };
    const tlvs = decodeTlvs(packet.data);
    if (isWireError(tlvs)) return { kind: 'failure', because: tlvs.toString() };
    const result = tlvs.find((tlv) => tlv.type === TLV.result)?.value;
    if (result?.[1] !== RESULT.success) return { kind: 'failure', because: 'the peer does not believe us' };
    if (keys) {
      const binding = decodeBinding(tlvs.find((tlv) => tlv.type === TLV.cryptobinding)?.value ?? new Uint8Array(0));
      const bound =
        !isWireError(binding) &&
        binding.subtype === 'response' &&
        equalConstantTime(binding.nonce, nonce) &&
        equalConstantTime(binding.mac, compoundMac(keys.cmk, binding));
      if (!bound) return { kind: 'failure', because: 'the cryptobinding is wrong' };
    }
    return { kind: 'success', msk: keys ? boundMsk(keys.ipmk) : tlsMsk(engine, EAP_TYPE.peap), identity };
  }
}

const extensions = (identifier: number, tlvs: Parameters<typeof encodeTlvs>[0]): Uint8Array =>
  encodeEap({ kind: 'request', identifier, type: EAP_TYPE.extensions, data: encodeTlvs(tlvs) });
