// A hostile peer that has the keys: one end of a simulation seals other messages than its state machine wanted to. What it sends opens
// and verifies at the other end, the victim, and means nonsense: payloads dropped, doubled, swapped, lent from other messages, made
// up or changed inside, other exchanges, other message IDs, requests that nobody asked for. The victim's every effect is watched.
//
// Only here is IkeSa.prototype.seal replaced: the product has no door for this.
import * as fc from 'fast-check';
import { decodeMessage, Exchange, type ExchangeType, encodeMessage } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import type { Payload } from '../../main/ike/payload/payload.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import { IkeSa } from '../../main/ike/sa.ts';
import type { Instant } from '../../main/ike/timing.ts';
import { isWireError } from '../../main/wire/error.ts';
import { anyPayload } from '../ike/payload/arbitrary.ts';
import type { Datagram, Simulation } from '../sim/simulation.ts';

export type End = 'client' | 'gateway';

export interface Hostility {
  readonly who: End;
  /** From this sealed message of its on; `init`: also IKE_SA_INIT, in the clear. */
  readonly from: number | 'init';
  /** Of its messages, how many it spoils: a share of 1. */
  readonly share: number;
}

type Message = Parameters<IkeSa['seal']>[0];

const RANDOM: readonly Payload[] = fc.sample(anyPayload, { numRuns: 3000, seed: 7 });
const NOTIFIES: readonly number[] = Object.values(NotifyType);
const EXCHANGES: readonly ExchangeType[] = Object.values(Exchange);
/** The victim answers one event with so many effects at most; more would be a lever for whoever wants to load it. */
export const MOST_EFFECTS = 64;

const honestSeal = IkeSa.prototype.seal;
let current: HostilePeer | undefined;

function sealing(this: IkeSa, message: Message): ReturnType<IkeSa['seal']> {
  return current ? current.seal(this, message) : honestSeal.call(this, message);
}

/** Whose turn it is on the CPU, what it may do, and what the victim does about it. */
export class HostilePeer {
  readonly #hostility: Hostility;
  readonly #number: () => number;
  readonly #sas: IkeSa[] = [];
  readonly #seen: Message[] = [];
  /** The greatest message ID of its requests, by SA. */
  readonly #requests = new Map<IkeSa, number>();
  /** SPIs that it has offered or taken: only to such ones may the victim send ESP. */
  readonly namedSpis = new Set<number>();
  #acting: End | undefined;
  #sealed = 0;
  spoilt = 0;
  injected = 0;
  mostEffects = 0;
  /** Off: it seals what its state machine wants. */
  isOn = true;

  constructor(hostility: Hostility, number: () => number) {
    this.#hostility = hostility;
    this.#number = number;
  }

  /** Takes its place in a simulation that has not begun. `watch` sees every effect of the victim. */
  join(sim: Simulation, watch: (effects: readonly IkeEffect[], now: Instant) => void): void {
    const { initiator, responder } = sim;
    const as = <T>(end: End, effects: () => T[], plain: (of: T) => IkeEffect, now: Instant): T[] => {
      const before = this.#acting;
      this.#acting = end;
      try {
        const made = effects();
        if (end !== this.#hostility.who) {
          this.mostEffects = Math.max(this.mostEffects, made.length);
          watch(made.map(plain), now);
        }
        return made;
      } finally {
        this.#acting = before;
      }
    };
    Object.defineProperty(sim, 'initiator', {
      value: {
        handle: (event: Parameters<typeof initiator.handle>[0], now: Instant) =>
          as(
            'client',
            () => initiator.handle(event, now),
            (effect) => effect,
            now,
          ),
      },
    });
    sim.responder = {
      handle: (event, now) =>
        as(
          'gateway',
          () => responder.handle(event, now),
          ({ effect }) => effect,
          now,
        ),
    };
  }

  /** As NetworkOptions.touch: its IKE_SA_INIT. */
  touch(datagram: Datagram): readonly Datagram[] {
    const mine = datagram.direction === (this.#hostility.who === 'client' ? 'to-responder' : 'to-initiator');
    if (!mine || !this.isOn || this.#hostility.from !== 'init' || !this.#chance(this.#hostility.share))
      return [datagram];
    const message = decodeMessage(datagram.bytes);
    if (isWireError(message) || message.header.exchange !== Exchange.IKE_SA_INIT) return [datagram];
    try {
      const bytes = encodeMessage(message.header, this.#mutated(message.payloads));
      this.spoilt++;
      return this.#chance(0.3) ? [{ ...datagram, bytes }, datagram] : [{ ...datagram, bytes }];
    } catch {
      return [datagram];
    }
  }

  seal(sa: IkeSa, message: Message): ReturnType<IkeSa['seal']> {
    // What the victim says is worth saying back to it.
    if (this.#seen.length < 400) this.#seen.push(structuredClone(message));
    if (this.#acting !== this.#hostility.who) return honestSeal.call(sa, message);
    if (!this.#sas.includes(sa)) this.#sas.push(sa);
    const { from, share } = this.#hostility;
    const begun = from === 'init' || this.#sealed++ >= from;
    const spoils = this.isOn && begun && this.#chance(share);
    return this.#sealAs(sa, spoils ? this.#spoil(message) : message, message);
  }

  /** A message that its state machine knows nothing of; undefined: it has no keys (any more). */
  unasked(): Uint8Array | undefined {
    const sa = this.#pick(this.#sas);
    if (!sa) return undefined;
    const lent = this.#chance(0.7) ? this.#pick(this.#seen) : undefined;
    const last = this.#requests.get(sa) ?? 0;
    const message: Message = {
      exchange: lent && this.#chance(0.9) ? lent.exchange : (this.#pick(EXCHANGES) ?? Exchange.INFORMATIONAL),
      response: this.#chance(0.15),
      messageId: this.#chance(0.8) ? last + 1 : this.#pick([0, 1, last, last + 2, 0xffffffff, this.#below(20)])!,
      payloads: lent ? (this.#chance(0.3) ? lent.payloads : this.#mutated(lent.payloads)) : this.#madeUp(),
    };
    try {
      const { datagrams } = this.#sealAs(sa, message, message);
      this.injected++;
      return this.#pick(datagrams);
    } catch {
      // Its keys are wiped, or it has put something together that cannot be written.
      return undefined;
    }
  }

  #sealAs(sa: IkeSa, message: Message, honest: Message): ReturnType<IkeSa['seal']> {
    let sealed: ReturnType<IkeSa['seal']>;
    let sent = message;
    try {
      sealed = honestSeal.call(sa, message);
      if (message !== honest) this.spoilt++;
    } catch (error) {
      if (message === honest) throw error;
      sent = honest;
      sealed = honestSeal.call(sa, honest);
    }
    if (!sent.response) this.#requests.set(sa, Math.max(this.#requests.get(sa) ?? 0, sent.messageId));
    for (const payload of sent.payloads)
      if (payload.kind === 'sa')
        for (const { spi } of payload.proposals)
          if (spi.length === 4) this.namedSpis.add(new DataView(spi.buffer, spi.byteOffset).getUint32(0));
    return sealed;
  }

  #spoil(message: Message): Message {
    const kind = this.#below(20);
    if (kind === 0) return { ...message, exchange: this.#pick(EXCHANGES) ?? message.exchange };
    if (kind === 1) return { ...message, messageId: this.#pick([0, message.messageId + 1, 0xffffffff]) ?? 0 };
    if (kind === 2) return { ...message, response: !message.response };
    if (kind === 3) return { ...message, payloads: this.#madeUp() };
    const other = kind === 4 ? this.#seen.filter(({ exchange }) => exchange === message.exchange) : [];
    return { ...message, payloads: this.#mutated(this.#pick(other)?.payloads ?? message.payloads) };
  }

  #madeUp(): readonly Payload[] {
    return Array.from({ length: this.#below(6) }, () => this.#foreign());
  }

  #foreign(): Payload {
    switch (this.#below(5)) {
      case 0:
        return this.#notify();
      case 1:
      case 2: {
        const lent = this.#pick(this.#pick(this.#seen)?.payloads ?? []);
        return lent ? structuredClone(lent) : this.#notify();
      }
      case 3: {
        const spis = [...this.namedSpis, this.#below(2 ** 32)];
        const protocol = this.#pick([1, 3, 3, 3, 2]) ?? 3;
        return { kind: 'delete', protocol, spis: protocol === 1 ? [] : [this.#pick(spis) ?? 1] } as Payload;
      }
      default:
        return structuredClone(this.#pick(RANDOM) ?? this.#notify());
    }
  }

  #notify(): Payload {
    const spi = this.#chance(0.4) ? this.#bytes(this.#pick([4, 8]) ?? 4) : new Uint8Array(0);
    const named = this.#pick([...this.namedSpis]);
    if (named !== undefined && spi.length === 4 && this.#chance(0.7)) new DataView(spi.buffer).setUint32(0, named);
    return {
      kind: 'notify',
      protocol: this.#pick([0, 1, 3]) ?? 0,
      type: this.#chance(0.9) ? (this.#pick(NOTIFIES) ?? 0) : this.#below(65536),
      spi,
      data: this.#bytes(this.#pick([0, 0, 1, 2, 4, 8, 16, 20, 40]) ?? 0),
    };
  }

  #mutated(payloads: readonly Payload[]): readonly Payload[] {
    const list = payloads.map((payload) => structuredClone(payload));
    for (let left = 1 + this.#below(3); left > 0; left--) {
      const at = this.#below(list.length);
      switch (this.#below(9)) {
        case 0:
          list.splice(at, 1);
          break;
        case 1: {
          const twin = list[at];
          if (twin) list.splice(this.#below(list.length + 1), 0, structuredClone(twin));
          break;
        }
        case 2: {
          const other = this.#below(list.length);
          const [a, b] = [list[at], list[other]];
          if (a && b) [list[at], list[other]] = [b, a];
          break;
        }
        case 3:
        case 4:
          list.splice(this.#below(list.length + 1), 0, this.#foreign());
          break;
        case 5:
          if (list.length > 0) list[at] = this.#foreign();
          break;
        default: {
          const victim = list[at];
          if (victim) this.#changeInside(victim);
        }
      }
    }
    return list;
  }

  /** Any number, string or run of bytes in a payload. */
  #changeInside(payload: Payload): void {
    const leaves: (() => void)[] = [];
    const look = (value: object): void => {
      for (const [key, inner] of Object.entries(value)) {
        const put = (changed: unknown): void => {
          (value as Record<string, unknown>)[key] = changed;
        };
        if (inner instanceof Uint8Array) leaves.push(() => put(this.#changedBytes(inner)));
        else if (typeof inner === 'number') leaves.push(() => put(this.#changedNumber(inner)));
        else if (typeof inner === 'object' && inner !== null) look(inner);
      }
      if (Array.isArray(value) && value.length > 0) {
        leaves.push(() => value.splice(this.#below(value.length), 1));
        leaves.push(() => value.push(structuredClone(this.#pick(value))));
      }
    };
    look(payload);
    this.#pick(leaves)?.();
  }

  #changedBytes(bytes: Uint8Array): Uint8Array {
    switch (this.#below(4)) {
      case 0:
        return bytes.slice(0, this.#below(bytes.length + 1));
      case 1:
        return Uint8Array.of(...bytes, ...this.#bytes(1 + this.#below(8)));
      case 2:
        return new Uint8Array(bytes.length).fill(this.#pick([0, 255]) ?? 0);
      default: {
        const changed = Uint8Array.from(bytes);
        const at = this.#below(changed.length);
        if (changed.length > 0) changed[at] = changed[at]! ^ (1 << this.#below(8));
        return changed;
      }
    }
  }

  #changedNumber(value: number): number {
    return this.#pick([0, 1, value + 1, Math.max(0, value - 1), 255, 65535, this.#below(64)]) ?? 0;
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#below(256));
  }

  #below(limit: number): number {
    return Math.floor(this.#number() * limit);
  }

  #chance(share: number): boolean {
    return this.#number() < share;
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#below(from.length)];
  }
}

/** Everything that `run` seals goes through the hostile peer. */
export function withHostile<T>(peer: HostilePeer, run: () => T): T {
  IkeSa.prototype.seal = sealing;
  current = peer;
  try {
    return run();
  } finally {
    current = undefined;
    IkeSa.prototype.seal = honestSeal;
  }
}
