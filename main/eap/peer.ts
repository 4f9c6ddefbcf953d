// The EAP peer (RFC 3748 §2.2, §4; the peer's machine of RFC 4137): Identity, Notification, Nak, repeated Requests, and the
// one method that the server and the profile agree on. The same machine runs inside the tunnels of TTLS and PEAP.
//
// What is known to be wrong is kept until the server's Failure, so that a person hears the reason and not "refused".
import { isWireError } from '../wire/error.ts';
import { harmless } from './display.ts';
import { EapError, eapProtocol } from './error.ts';
import type { PeerMethod } from './method.ts';
import { decodeEap, EAP_TYPE, type EapExchangePacket, eapTypeName, encodeEap } from './packet.ts';
import type { EapPeer, EapPeerStep } from './types.ts';

/** A server that never ends is ended: more than any handshake in small fragments takes. */
const MOST_ROUNDS = 1000;
/** RFC 3748 §5.1: an identity that a server can be expected to take. */
const EMPTY = new Uint8Array(0);

export interface MethodChoice {
  readonly type: number;
  readonly make: () => PeerMethod;
}

export interface PeerConversationConfig {
  /** Most wanted first. */
  readonly methods: readonly MethodChoice[];
  /** Allowed by the profile, but not here, because the gateway has not proved itself: no Nak names them. */
  readonly withheld: readonly number[];
  readonly identity: string;
  readonly log: (level: 'debug' | 'info' | 'warn', text: string) => void;
}

export class PeerConversation implements EapPeer {
  readonly #config: PeerConversationConfig;
  #method: PeerMethod | undefined;
  #failure: EapError | undefined;
  #last: { readonly request: Uint8Array; readonly response: Uint8Array } | undefined;
  /** Types that we have answered with Nak. */
  readonly #offered = new Set<number>();
  #rounds = 0;
  #closed = false;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(config: PeerConversationConfig) {
    this.#config = config;
  }

  process(packet: Uint8Array): Promise<EapPeerStep> {
    const step = this.#busy.then(() => this.#step(Uint8Array.from(packet)));
    this.#busy = step;
    return step;
  }

  get failure(): EapError | undefined {
    return this.#failure;
  }

  /** The method is satisfied; PEAP says so by other means than an EAP Success. */
  get complete(): boolean {
    return this.#failure === undefined && this.#method?.complete === true;
  }

  msk(): Uint8Array | undefined {
    return this.#method?.msk();
  }

  /** What a Failure now would mean. */
  refusal(): EapError {
    return this.#failure ?? this.#method?.refusal() ?? this.#withoutMethod();
  }

  close(): void {
    this.#closed = true;
    this.#method?.close();
    this.#last?.response.fill(0);
    this.#last = undefined;
  }

  async #step(bytes: Uint8Array): Promise<EapPeerStep> {
    if (this.#closed) return this.#fail(eapProtocol('a packet after the end'));
    try {
      return await this.#take(bytes);
    } catch (error) {
      if (error instanceof EapError) return this.#fail(error);
      const text = error instanceof Error ? error.message : String(error);
      return this.#fail(eapProtocol(`it cannot be processed: ${text}`));
    }
  }

  async #take(bytes: Uint8Array): Promise<EapPeerStep> {
    const packet = decodeEap(bytes);
    if (isWireError(packet)) return this.#fail(eapProtocol(packet.toString()));
    switch (packet.kind) {
      case 'success':
        return this.#succeed();
      case 'failure':
        return this.#fail(this.refusal());
      case 'response':
        return this.#fail(eapProtocol('a Response where Requests are due'));
      case 'request': {
        // §4.1: a repeated Request is answered alike, and asks nobody again. Sloppy servers use an identifier twice.
        if (this.#last && Buffer.compare(this.#last.request, bytes) === 0)
          return { state: 'under-way', packet: Uint8Array.from(this.#last.response) };
        if (++this.#rounds > MOST_ROUNDS) return this.#fail(eapProtocol(`more than ${MOST_ROUNDS} Requests`));
        const response = await this.#answer(packet);
        if (response instanceof EapError) return this.#fail(response);
        if (this.#closed) return this.#fail(eapProtocol('a packet after the end'));
        const encoded = encodeEap({ kind: 'response', identifier: packet.identifier, ...response });
        this.#last = { request: bytes, response: encoded };
        return { state: 'under-way', packet: Uint8Array.from(encoded) };
      }
    }
  }

  async #answer(request: EapExchangePacket): Promise<{ readonly type: number; readonly data: Uint8Array } | EapError> {
    const { type, data, identifier } = request;
    switch (type) {
      case EAP_TYPE.identity:
        return { type, data: new TextEncoder().encode(this.#config.identity) };
      case EAP_TYPE.notification: {
        const words = harmless(data);
        if (words !== '') this.#config.log('info', `the gateway says: “${words}”`);
        return { type, data: EMPTY };
      }
      case EAP_TYPE.nak:
        return eapProtocol('a Nak as a Request');
    }
    if (this.#method === undefined) {
      const choice = this.#config.methods.find((method) => method.type === type);
      if (!choice) return this.#nak(type);
      this.#config.log('debug', `the gateway asks for ${eapTypeName(type)}`);
      this.#method = choice.make();
    }
    // §2.1: one method in a conversation.
    if (this.#method.type !== type)
      return eapProtocol(`${eapTypeName(type)} in the middle of ${eapTypeName(this.#method.type)}`);
    const step = await this.#method.process(data, identifier);
    switch (step.kind) {
      case 'respond':
        return { type, data: step.data };
      case 'fail':
        if (step.data === undefined) return step.error;
        this.#failure ??= step.error;
        return { type, data: step.data };
    }
  }

  /** §5.3.1: the types that we would take, most wanted first; 0: none. */
  #nak(type: number): { readonly type: number; readonly data: Uint8Array } {
    this.#offered.add(type);
    this.#config.log('info', `the gateway asks for ${eapTypeName(type)}, which is not allowed here`);
    const wanted = this.#config.methods.map((method) => method.type);
    return { type: EAP_TYPE.nak, data: wanted.length > 0 ? Uint8Array.from(wanted) : Uint8Array.of(0) };
  }

  #succeed(): EapPeerStep {
    // A Success that nothing earned proves nothing (RFC 3748 §7.16).
    if (!this.#method?.complete || this.#failure)
      return this.#fail(this.#failure ?? eapProtocol('a Success before the method has ended'));
    return { state: 'success', packet: EMPTY, msk: this.#method.msk() };
  }

  #fail(error: EapError): EapPeerStep {
    this.#failure ??= error;
    return { state: 'failure', packet: EMPTY, error: this.#failure };
  }

  #withoutMethod(): EapError {
    const { withheld, methods } = this.#config;
    const offered = [...this.#offered];
    const names = offered.map(eapTypeName);
    if (offered.length === 0)
      return new EapError({
        reason: 'refused',
        message: 'the gateway refused before it asked for any proof',
        remedy:
          'check the user name (and the identity said in the clear) in the profile; the log of the gateway says more',
      });
    if (offered.some((type) => withheld.includes(type)))
      return new EapError({
        reason: 'gateway-unproven',
        message: `the gateway asks for ${names.join(', ')}, but has not shown a certificate`,
        remedy:
          'a password goes only to a gateway that has proved who it is: it has to authenticate itself with a certificate, or use EAP-TLS, EAP-TTLS or PEAP',
        offered: names,
      });
    const wanted = methods.map((method) => eapTypeName(method.type));
    return new EapError({
      reason: 'no-common-method',
      message: `the gateway offers only ${names.join(', ')}; the profile allows ${wanted.join(', ') || 'nothing'}`,
      remedy: 'have the administrator allow one of these methods at the gateway, or put the gateway’s into the profile',
      offered: names,
    });
  }
}
