// A method over TLS, the authenticator's half (the flow is drawn in peer.ts).
import type { ServerMethod, ServerMethodStep } from '../method.ts';
import type { TlsEngine } from './engine.ts';
import { encodeFrame, TlsCarrier } from './frame.ts';

export type InsideServerStep =
  /** Say this inside; empty: nothing, the packet is acknowledged. */
  | { readonly kind: 'say'; readonly plain: Uint8Array }
  | { readonly kind: 'success'; readonly msk: Uint8Array; readonly identity: string }
  | { readonly kind: 'failure'; readonly because: string };

export interface ServerInside {
  /** What the server says as soon as a TLS 1.3 handshake is over; in TLS 1.2 the client answers first. Empty: nothing. */
  opening(engine: TlsEngine, next: number): Promise<Uint8Array>;
  /** `data` came (possibly nothing: our turn); `next`: the identifier of the EAP packet that will carry the answer. */
  turn(data: Uint8Array, engine: TlsEngine, next: number): Promise<InsideServerStep>;
  close(): void;
}

export interface TlsServerConfig {
  readonly type: number;
  readonly fragmentSize: number;
  readonly engine: () => TlsEngine;
  readonly inside: ServerInside;
}

const EMPTY = new Uint8Array(0);

export class TlsServer implements ServerMethod {
  readonly type: number;
  readonly #config: TlsServerConfig;
  readonly #carrier: TlsCarrier;
  readonly #engine: TlsEngine;
  #secured = false;
  /** The alert is out: what follows is the end. */
  #broken: string | undefined;

  constructor(config: TlsServerConfig) {
    this.type = config.type;
    this.#config = config;
    this.#carrier = new TlsCarrier(config.fragmentSize, 0);
    this.#engine = config.engine();
  }

  async begin(): Promise<Uint8Array> {
    return encodeFrame({ start: true, more: false, version: 0, length: undefined, data: EMPTY });
  }

  async process(data: Uint8Array, next: number): Promise<ServerMethodStep> {
    if (this.#broken !== undefined) return { kind: 'failure', because: this.#broken };
    const carried = this.#carrier.receive(data);
    switch (carried.kind) {
      case 'malformed':
        return { kind: 'failure', because: carried.text };
      case 'reply':
        return { kind: 'request', data: carried.data };
      case 'message':
        return this.#take(carried.message, next);
    }
  }

  close(): void {
    this.#config.inside.close();
    this.#engine.close();
  }

  async #take(message: Uint8Array, next: number): Promise<ServerMethodStep> {
    const engine = this.#engine;
    const turn = await engine.feed(message);
    if (turn.failure) {
      const because = `TLS: ${turn.failure.text}`;
      if (turn.output.length === 0) return { kind: 'failure', because };
      this.#broken = because;
      return { kind: 'request', data: this.#carrier.send(turn.output) };
    }
    const justSecured = turn.secured && !this.#secured;
    this.#secured = turn.secured;
    if (!turn.secured)
      return turn.output.length > 0
        ? { kind: 'request', data: this.#carrier.send(turn.output) }
        : { kind: 'failure', because: 'a TLS handshake that stops' };
    if (justSecured && turn.data.length === 0) {
      const plain = engine.version === 'TLSv1.3' ? await this.#config.inside.opening(engine, next) : EMPTY;
      return this.#say(turn.output, plain);
    }
    const step = await this.#config.inside.turn(turn.data, engine, next);
    turn.data.fill(0);
    return step.kind === 'say' ? this.#say(turn.output, step.plain) : step;
  }

  async #say(output: Uint8Array, plain: Uint8Array): Promise<ServerMethodStep> {
    const said = plain.length > 0 ? (await this.#engine.write(plain)).output : EMPTY;
    return { kind: 'request', data: this.#carrier.send(Uint8Array.from([...output, ...said])) };
  }
}
