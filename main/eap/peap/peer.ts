// Inside PEAP version 0 (MS-PEAP; draft-kamath-pppext-peapv0-00), the client's half:
//
//   ◀─ Identity request, and an EAP method              (without their EAP headers)
//      …                                                ─▶
//   ◀─ extensions: Result, perhaps Cryptobinding        (whole)
//      extensions: Result, Cryptobinding                ─▶
import { equalConstantTime } from '../../crypto/constant-time.ts';
import { isWireError } from '../../wire/error.ts';
import { EapError, eapProtocol } from '../error.ts';
import { decodeEap, EAP_TYPE, type EapExchangePacket, encodeEap } from '../packet.ts';
import type { PeerConversation } from '../peer.ts';
import type { TlsEngine } from '../tls/engine.ts';
import { tlsMsk, tunnelKeys } from '../tls/keys.ts';
import type { InsideStep, PeerInside } from '../tls/peer.ts';
import { boundMsk, type CompoundKeys, compoundKeys, compoundMac, innerSessionKey } from './binding.ts';
import {
  bindingTlv,
  type Cryptobinding,
  decodeBinding,
  decodeTlvs,
  encodeTlvs,
  pack,
  RESULT,
  resultTlv,
  TLV,
  type Tlv,
  unpack,
} from './tlv.ts';

const EMPTY = new Uint8Array(0);

export class PeapInside implements PeerInside {
  readonly #inner: PeerConversation;
  #succeeded = false;
  /** From the cryptobinding, where the server wanted one. */
  #ipmk: Uint8Array | undefined;

  constructor(inner: PeerConversation) {
    this.#inner = inner;
  }

  async turn(data: Uint8Array, engine: TlsEngine, identifier: number): Promise<InsideStep> {
    // Tickets of TLS 1.3, or the server's turn to begin.
    if (data.length === 0) return { kind: 'say', plain: EMPTY };
    const { packet } = unpack(data, { kind: 'request', identifier });
    const inside = decodeEap(packet);
    if (isWireError(inside)) return failed(eapProtocol(inside.toString()));
    if (inside.kind === 'request' && inside.type === EAP_TYPE.extensions) return this.#extensions(inside, engine);
    // An inner Success is no part of PEAP version 0, but some servers send one before the Result.
    if (inside.kind === 'success' && this.#inner.complete) return { kind: 'say', plain: EMPTY };
    const step = await this.#inner.process(packet);
    if (step.state === 'failure') return failed(step.error);
    return { kind: 'say', plain: step.packet.length > 0 ? pack(step.packet) : EMPTY };
  }

  get complete(): boolean {
    return this.#succeeded;
  }

  refusal(): EapError {
    return this.#inner.refusal();
  }

  msk(engine: TlsEngine): Uint8Array {
    return this.#ipmk ? boundMsk(this.#ipmk) : tlsMsk(engine, EAP_TYPE.peap);
  }

  close(): void {
    this.#inner.close();
    this.#ipmk?.fill(0);
  }

  #extensions(request: EapExchangePacket, engine: TlsEngine): InsideStep {
    const tlvs = decodeTlvs(request.data);
    if (isWireError(tlvs)) return failed(eapProtocol(tlvs.toString()));
    const known: readonly number[] = Object.values(TLV);
    const unknown = tlvs.find((tlv) => tlv.mandatory && !known.includes(tlv.type));
    if (unknown) return failed(eapProtocol(`PEAP TLV ${unknown.type}`));
    const result = tlvs.find((tlv) => tlv.type === TLV.result);
    // Capabilities and the like: nothing of ours.
    if (!result) return this.#reply(request, []);
    const granted = result.value[0] === 0 && result.value[1] === RESULT.success;
    if (!granted) return failed(this.#inner.refusal(), this.#packet(request, [resultTlv(RESULT.failure)]));
    if (!this.#inner.complete)
      return failed(eapProtocol('a Result before the inner method has ended'), this.#refused(request));
    const wanted = tlvs.find((tlv) => tlv.type === TLV.cryptobinding);
    const bound = wanted ? this.#bind(wanted, engine) : [];
    if (bound instanceof EapError) return failed(bound, this.#refused(request));
    this.#succeeded = true;
    return this.#reply(request, [resultTlv(RESULT.success), ...bound]);
  }

  #bind(tlv: Tlv, engine: TlsEngine): readonly Tlv[] | EapError {
    const request = decodeBinding(tlv.value);
    if (isWireError(request)) return eapProtocol(request.toString());
    const keys = this.#boundKeys(request, engine);
    if (!keys)
      return new EapError({
        reason: 'server-not-authentic',
        message: 'the TLS server inside EAP is not the one that checked the password (PEAP cryptobinding)',
        remedy: 'somebody may sit between the gateway and its server: the administrator has to look into it',
      });
    const answer = { ...request, receivedVersion: request.version, subtype: 'response', version: 0 } as const;
    const response = bindingTlv({ ...answer, mac: compoundMac(keys.cmk, answer) });
    keys.cmk.fill(0);
    this.#ipmk = keys.ipmk;
    return [response];
  }

  /** Those with which the server made the request's MAC, over its own TLV: nobody else has put it into the tunnel. */
  #boundKeys(request: Cryptobinding, engine: TlsEngine): CompoundKeys | undefined {
    const msk = this.#inner.msk();
    const isk = innerSessionKey(msk);
    let right: CompoundKeys | undefined;
    for (const tunnel of tunnelKeys(engine)) {
      const keys = compoundKeys(tunnel, isk);
      const made = request.subtype === 'request' && equalConstantTime(compoundMac(keys.cmk, request), request.mac);
      if (made && !right) right = keys;
      else for (const key of Object.values(keys)) key.fill(0);
      tunnel.fill(0);
    }
    isk.fill(0);
    msk?.fill(0);
    return right;
  }

  #refused(request: EapExchangePacket): Uint8Array {
    return this.#packet(request, [resultTlv(RESULT.failure)]);
  }

  #reply(request: EapExchangePacket, tlvs: readonly Tlv[]): InsideStep {
    return { kind: 'say', plain: this.#packet(request, tlvs) };
  }

  #packet({ identifier }: EapExchangePacket, tlvs: readonly Tlv[]): Uint8Array {
    return encodeEap({ kind: 'response', identifier, type: EAP_TYPE.extensions, data: encodeTlvs(tlvs) });
  }
}

const failed = (error: EapError, plain?: Uint8Array): InsideStep => ({
  kind: 'fail',
  error,
  ...(plain ? { plain } : {}),
});
