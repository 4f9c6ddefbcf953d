// Additional key exchanges of one SA in the making (RFC 9370 §2.2): which are still to come, and the secrets of those that are done. One
// exchange each, in order: IKE_INTERMEDIATE for a new IKE SA, IKE_FOLLOWUP_KE for what CREATE_CHILD_SA makes. Which exchange it is, and
// what becomes of the secrets, is the caller's business (phase/*-intermediate.ts; keymat.ts).
//
//   Initiator                          Responder
//   ------------------------------------------------------------------
//   offer(): KEi(n)               -->
//                                  <--  KEr(n): respond()
//   accept()
import { isKeError, type KeInitiator, type KeyExchange } from '../crypto/ke.ts';
import type { RandomBytes } from '../crypto/random.ts';
import type { PayloadOf } from './payload/payload.ts';

type KePayload = PayloadOf<'ke'>;

export class AdditionalKeyExchanges {
  readonly #methods: readonly KeyExchange[];
  readonly #random: RandomBytes;
  readonly #secrets: Uint8Array[] = [];
  #initiator: KeInitiator | undefined;

  /** `methods`: `additional` of the suite (crypto/suite.ts). */
  constructor(methods: readonly KeyExchange[], random: RandomBytes) {
    this.#methods = methods;
    this.#random = random;
  }

  /** The one that is to be done now; undefined: all are done. */
  get next(): KeyExchange | undefined {
    return this.#methods[this.#secrets.length];
  }

  /** SK(1) … SK(n) of those that are done, in order. They are ours: wiped by `wipe`. */
  get secrets(): readonly Uint8Array[] {
    return this.#secrets;
  }

  /** Our KE payload as the initiator; the same one until its answer is accepted. */
  offer(): KePayload {
    const next = this.#expected();
    this.#initiator ??= next.initiate(this.#random);
    return { kind: 'ke', method: next.id, data: this.#initiator.data };
  }

  /** The responder's KE payload: SK(n), which stays ours; or what is wrong with it. */
  accept(answer: KePayload | undefined): Uint8Array | string {
    const next = this.#expected();
    if (!this.#initiator) throw new Error('an answer to nothing');
    const wrong = wrongPayload(answer, next);
    if (!answer || wrong) return wrong ?? MISSING;
    const secret = this.#initiator.finish(answer.data);
    if (isKeError(secret)) return secret.toString();
    this.#initiator.wipe();
    this.#initiator = undefined;
    this.#secrets.push(secret);
    return secret;
  }

  /** The responder's side: our KE payload and SK(n), which stays ours; or what is wrong with the initiator's. */
  respond(request: KePayload | undefined): { readonly payload: KePayload; readonly secret: Uint8Array } | string {
    const next = this.#expected();
    const wrong = wrongPayload(request, next);
    if (!request || wrong) return wrong ?? MISSING;
    const response = next.respond(request.data, this.#random);
    if (isKeError(response)) return response.toString();
    this.#secrets.push(response.secret);
    return { payload: { kind: 'ke', method: next.id, data: response.data }, secret: response.secret };
  }

  /** Forgets every secret. */
  wipe(): void {
    this.#initiator?.wipe();
    this.#initiator = undefined;
    for (const secret of this.#secrets) secret.fill(0);
  }

  #expected(): KeyExchange {
    if (!this.next) throw new Error('every additional key exchange is done');
    return this.next;
  }
}

const MISSING = 'the KE payload is missing';

function wrongPayload(payload: KePayload | undefined, expected: KeyExchange): string | undefined {
  if (!payload) return MISSING;
  return payload.method === expected.id
    ? undefined
    : `its KE payload is of method ${payload.method}, ${expected.name} (${expected.id}) is to be done now`;
}
