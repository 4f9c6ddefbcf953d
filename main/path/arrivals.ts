// How many ESP packets the peer has sent us, by their sequence numbers (the first is 1, RFC 4303 §3.3.3), and how many of them
// arrived: the difference is what the network lost. Summed over the inbound SAs of this receiver, past and present. Looked at a
// few times a second, never per packet.
import type { Core } from '../core/api.ts';
import type { ReceiverCommand } from './command.ts';

/** Milliseconds between looks. */
const INTERVAL = 200;

export class Arrivals {
  readonly #core: Pick<Core, 'inboundUse'>;
  readonly #slots = new Set<number>();
  #goneDue = 0;
  #goneArrived = 0;
  #next = 0;
  due = 0;
  arrived = 0;

  constructor(core: Pick<Core, 'inboundUse'>) {
    this.#core = core;
  }

  /** Call before the receiver carries this out: an SA that is removed takes its counts with it. */
  removing(command: { readonly kind: ReceiverCommand['kind'] | 'peer' } & { readonly slot?: number }): void {
    const { slot } = command;
    if (command.kind !== 'removeInbound' || slot === undefined || !this.#slots.delete(slot)) return;
    const { sequence, packets } = this.#core.inboundUse(slot);
    this.#goneDue += Number(sequence);
    this.#goneArrived += packets;
  }

  /** Call after the receiver has carried this out. */
  installed(command: { readonly kind: ReceiverCommand['kind'] | 'peer' } & { readonly slot?: number }): void {
    if (command.kind === 'installInbound' && command.slot !== undefined) this.#slots.add(command.slot);
  }

  /**
   * Something may have arrived. Looks again where the last look is long enough ago, and returns -1; else in how many milliseconds it
   * wants to be called again, or the last packets before a silence would be counted with the first ones after it.
   */
  look(now: number): number {
    if (this.#slots.size === 0) return -1;
    if (now < this.#next) return this.#next - now;
    this.lookNow(now);
    return -1;
  }

  lookNow(now: number): void {
    this.#next = now + INTERVAL;
    let due = this.#goneDue;
    let arrived = this.#goneArrived;
    for (const slot of this.#slots) {
      const { sequence, packets } = this.#core.inboundUse(slot);
      due += Number(sequence);
      arrived += packets;
    }
    this.due = due;
    this.arrived = arrived;
  }
}
