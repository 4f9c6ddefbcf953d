// A method over TLS, the peer's half (RFC 5216 §2.1, RFC 9190 §2.1): the handshake, fragment by fragment, and then, through
// what it protects, whatever the method does inside.
//
//   ◀─ Start
//      ClientHello                                             ─▶
//   ◀─ ServerHello … Finished            (1.2: … ServerHelloDone)
//      (Certificate …) Finished                                ─▶
//   ◀─ 1.2: Finished   1.3: tickets, and EAP-TLS's commitment
//      inside, or an acknowledgement                           ─▶
//
// Node checks the server's certificate at the end of the handshake: nothing goes inside before that, and our own certificate
// is all that a false server can see (in TLS 1.2).
import { EapError, eapProtocol } from '../error.ts';
import type { PeerMethod, PeerMethodStep } from '../method.ts';
import type { EapTlsTrust } from '../types.ts';
import type { TlsEngine, TlsFailure, TlsTurn } from './engine.ts';
import { TlsCarrier } from './frame.ts';

export type InsideStep =
  /** Say this inside; empty: nothing, the packet is acknowledged. */
  | { readonly kind: 'say'; readonly plain: Uint8Array }
  | { readonly kind: 'fail'; readonly error: EapError; readonly plain?: Uint8Array };

/** What the method does inside TLS. */
export interface PeerInside {
  /** `data` came (possibly nothing: our turn); `identifier` is that of the EAP packet around it. */
  turn(data: Uint8Array, engine: TlsEngine, identifier: number): Promise<InsideStep>;
  readonly complete: boolean;
  refusal(): EapError;
  /** 64 bytes; the method is complete. */
  msk(engine: TlsEngine): Uint8Array;
  close(): void;
}

export interface TlsPeerConfig {
  readonly type: number;
  readonly fragmentSize: number;
  readonly engine: () => TlsEngine;
  /** Where the engine has not checked the server's certificate: why it is not trusted. */
  readonly check?: EapTlsTrust['check'];
  readonly inside: PeerInside;
}

const EMPTY = new Uint8Array(0);

export class TlsPeer implements PeerMethod {
  readonly type: number;
  readonly #config: TlsPeerConfig;
  readonly #carrier: TlsCarrier;
  #engine: TlsEngine | undefined;
  #secured = false;

  constructor(config: TlsPeerConfig) {
    this.type = config.type;
    this.#config = config;
    this.#carrier = new TlsCarrier(config.fragmentSize, 0);
  }

  async process(data: Uint8Array, identifier: number): Promise<PeerMethodStep> {
    if (this.#engine === undefined) return this.#start(data);
    const carried = this.#carrier.receive(data);
    switch (carried.kind) {
      case 'malformed':
        return failed(eapProtocol(carried.text));
      case 'reply':
        return { kind: 'respond', data: carried.data };
      case 'message':
        return this.#take(this.#engine, carried.message, identifier);
    }
  }

  get complete(): boolean {
    return this.#secured && this.#config.inside.complete;
  }

  refusal(): EapError {
    if (this.#secured) return this.#config.inside.refusal();
    return new EapError({
      reason: 'tls',
      message: 'the gateway ended EAP during the TLS handshake',
      remedy:
        'the log of the gateway (or of the RADIUS server behind it) says why; often it takes no certificate of ours',
    });
  }

  msk(): Uint8Array | undefined {
    return this.#engine && this.complete ? this.#config.inside.msk(this.#engine) : undefined;
  }

  close(): void {
    this.#config.inside.close();
    this.#engine?.close();
  }

  async #start(data: Uint8Array): Promise<PeerMethodStep> {
    // RFC 5216 §3.1: flags with S, nothing else. What a server puts behind them is ignored.
    if (((data[0] ?? 0) & 0x20) === 0) return failed(eapProtocol('a TLS method that does not begin with Start'));
    this.#engine = this.#config.engine();
    const turn = await this.#engine.start();
    return turn.failure ? failed(explained(turn.failure)) : this.#respond(turn.output);
  }

  async #take(engine: TlsEngine, message: Uint8Array, identifier: number): Promise<PeerMethodStep> {
    const turn = await engine.feed(message);
    if (turn.failure) return this.#broken(turn, turn.failure);
    if (turn.secured && !this.#secured) {
      const { chain } = engine;
      // Without a certificate nobody has proved anything.
      if (chain.length === 0) return failed(distrusted('it showed none', 'have the administrator look into it'));
      const distrust = await this.#config.check?.(chain);
      if (distrust) return failed(distrusted(distrust.message, distrust.remedy));
    }
    const handshaking = turn.output.length > 0 && turn.data.length === 0;
    this.#secured = turn.secured;
    if (handshaking) return this.#respond(turn.output);
    if (!turn.secured)
      return failed(eapProtocol(message.length === 0 ? 'nothing where TLS is due' : 'a TLS handshake that stops'));
    const step = await this.#config.inside.turn(turn.data, engine, identifier);
    turn.data.fill(0);
    const said = step.plain && step.plain.length > 0 ? await engine.write(step.plain) : undefined;
    step.plain?.fill(0);
    const output = said ? Uint8Array.from([...turn.output, ...said.output]) : turn.output;
    if (step.kind === 'say') return this.#respond(output);
    return output.length > 0 ? failed(step.error, this.#carrier.send(output)) : failed(step.error);
  }

  /** Our alert is the last that the server hears. */
  #broken(turn: TlsTurn, failure: TlsFailure): PeerMethodStep {
    this.#secured = false;
    const alert = turn.output.length > 0 && failure.about === 'other' ? this.#carrier.send(turn.output) : undefined;
    // The server has said its last word already; what is left is to acknowledge it and to hear its Failure.
    return failed(explained(failure), failure.about === 'alert' ? this.#carrier.send(EMPTY) : alert);
  }

  #respond(output: Uint8Array): PeerMethodStep {
    return { kind: 'respond', data: this.#carrier.send(output) };
  }
}

const failed = (error: EapError, data?: Uint8Array): PeerMethodStep => ({ kind: 'fail', error, data });

const distrusted = (text: string, remedy: string): EapError =>
  new EapError({
    reason: 'server-certificate',
    message: `the certificate of the TLS server inside EAP was not accepted, and no password was sent: ${text}`,
    remedy,
  });

function explained({ about, text }: TlsFailure): EapError {
  switch (about) {
    case 'certificate':
      return distrusted(
        text,
        'compare the authority and the server name in the profile with the certificate of the gateway (or of the RADIUS server behind it); if they are right, somebody may pose as the gateway',
      );
    case 'alert':
      return /certificate|unknown ca|access denied/i.test(text)
        ? new EapError({
            reason: 'client-certificate',
            message: `the server did not accept our certificate: ${text}`,
            remedy: 'check that the certificate in the profile is the one that the gateway knows, and has not expired',
          })
        : new EapError({
            reason: 'tls',
            message: `the server ended TLS: ${text}`,
            remedy: 'gateway and Culvert may have no TLS version or cipher in common (Culvert speaks TLS 1.2 and 1.3)',
          });
    case 'other':
      return new EapError({
        reason: 'tls',
        message: `TLS with the gateway failed: ${text}`,
        remedy: 'gateway and Culvert may have no TLS version or cipher in common (Culvert speaks TLS 1.2 and 1.3)',
      });
  }
}
