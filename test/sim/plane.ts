// The data plane of one end, simulated: which SAs it has, on which one it sends, and what becomes of each ESP packet. It follows
// main/ike/peer.ts to the letter, so that a packet that IKE's orders lose is seen to be lost.
//
// A chain is a CHILD SA and those that replace it, one after the other.
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { IkeEffect } from '../../main/ike/peer.ts';
import type { Endpoint } from '../../main/wire/address.ts';

/** An ESP packet, as far as rekeying can spoil it. */
export interface EspPacket {
  readonly spi: number;
  /** What it is sealed with. */
  readonly key: string;
  readonly chain: Chain;
  readonly to: Endpoint;
}

export interface Chain {
  readonly name: string | undefined;
  active: Sa | undefined;
  /** Somebody has asked for its end: its packets may get lost. */
  doomed: boolean;
  /** It began after a deletion: perhaps what was replaced meanwhile, and goes at once. */
  readonly late: boolean;
}

interface Sa {
  readonly spiIn: number;
  readonly spiOut: number;
  readonly keyIn: string;
  readonly keyOut: string;
  readonly chain: Chain;
  readonly activate: 'now' | 'first-inbound' | 'never';
  readonly replaces: number | undefined;
  peer: Endpoint;
  /** No longer sent on; still received with until the grace is over. */
  removedAt: number | undefined;
}

/** Milliseconds that packets on their way have after a removal. */
export const GRACE = 10_000;
/** As many as are parked for an SPI that a request of ours has named. */
const MOST_PARKED = 64;

const keyText = (...parts: readonly (Uint8Array | undefined)[]): string =>
  parts.map((part) => Buffer.from(part ?? []).toString('hex')).join('.');

export class Plane {
  readonly chains: Chain[] = [];
  readonly violations: string[] = [];
  delivered = 0;
  lastInbound = 0;
  isClosed = false;
  readonly name: string;
  #doomed = false;
  readonly #sas = new Map<number, Sa>();
  readonly #expected = new Map<number, EspPacket[]>();

  constructor(name: string) {
    this.name = name;
  }

  /** SAs that are neither removed nor lost to a collision. */
  get sas(): readonly Sa[] {
    return [...this.#sas.values()].filter((sa) => sa.removedAt === undefined);
  }

  expect(spiIn: number): void {
    this.#expected.set(spiIn, []);
  }

  cancel(spiIn: number): void {
    for (const packet of this.#expected.get(spiIn) ?? [])
      if (!packet.chain.doomed) this.#violation(`a packet parked for ${hex(spiIn)} is lost with it`);
    this.#expected.delete(spiIn);
  }

  install(
    { child, activate, replaces, name }: Extract<IkeEffect, { readonly kind: 'installChild' }>,
    now: number,
  ): void {
    if (this.#sas.has(child.spiIn)) this.#violation(`${hex(child.spiIn)} is installed twice`);
    if (isZero(child)) this.#violation(`${hex(child.spiIn)} has keys of zeros`);
    const old = replaces === undefined ? undefined : this.#sas.get(replaces);
    if (replaces !== undefined && !old)
      this.#violation(`${hex(child.spiIn)} replaces ${hex(replaces)}, which never was`);
    const chain = old?.chain ?? this.#newChain(name);
    const sa: Sa = {
      spiIn: child.spiIn,
      spiOut: child.spiOut,
      keyIn: keyText(child.keyIn, child.saltIn, child.integrityKeyIn),
      keyOut: keyText(child.keyOut, child.saltOut, child.integrityKeyOut),
      chain,
      activate,
      replaces,
      peer: child.peer,
      removedAt: undefined,
    };
    this.#sas.set(sa.spiIn, sa);
    if (activate === 'now') chain.active = sa;
    const parked = this.#expected.get(sa.spiIn) ?? [];
    this.#expected.delete(sa.spiIn);
    for (const packet of parked) this.receive(packet, now);
    // The data plane holds the only copy of the keys.
    for (const key of [child.keyIn, child.saltIn, child.keyOut, child.saltOut]) key.fill(0);
  }

  remove(spiIn: number, now: number) {
    const sa = this.#sas.get(spiIn);
    if (!sa || sa.removedAt !== undefined) return this.#violation(`${hex(spiIn)} is removed but not there`);
    sa.removedAt = now;
    const { chain } = sa;
    if (chain.active !== sa) return;
    const waiting = this.sas.filter((other) => other.chain === chain && other.activate !== 'never');
    chain.active = waiting.find((other) => other.replaces === spiIn) ?? waiting.at(-1);
  }

  move(spiOut: number, peer: Endpoint): void {
    for (const sa of this.#sas.values()) if (sa.spiOut === spiOut) sa.peer = peer;
  }

  close(): void {
    this.isClosed = true;
    if (this.sas.length > 0) this.#violation('it is closed with SAs left');
    if (this.#expected.size > 0) this.#violation('it is closed with SPIs still expected');
  }

  /** One packet for each chain that has an SA to send on. */
  send(): readonly EspPacket[] {
    return this.chains.flatMap((chain) => {
      const { active } = chain;
      return active ? [{ spi: active.spiOut, key: active.keyOut, chain, to: active.peer }] : [];
    });
  }

  receive(packet: EspPacket, now: number) {
    if (this.isClosed || packet.chain.doomed) return;
    const parked = this.#expected.get(packet.spi);
    if (parked) {
      if (parked.length < MOST_PARKED) parked.push(packet);
      else this.#violation(`too many packets are parked for ${hex(packet.spi)}`);
      return;
    }
    const sa = this.#sas.get(packet.spi);
    if (!sa) return this.#violation(`a packet for ${hex(packet.spi)}, which it never had, is lost`);
    if (sa.chain.doomed) return;
    if (sa.removedAt !== undefined && now - sa.removedAt > GRACE)
      return this.#violation(`a packet for ${hex(packet.spi)}, which is long gone, is lost`);
    if (sa.keyIn !== packet.key) return this.#violation(`the ends disagree on the keys of ${hex(packet.spi)}`);
    this.delivered++;
    this.lastInbound = now;
    // RFC 7296 §2.8: the peer is ready for it.
    const { active } = sa.chain;
    if (sa.activate === 'first-inbound' && sa.removedAt === undefined && active?.spiIn === sa.replaces)
      sa.chain.active = sa;
  }

  /** SPIs of the other end that this chain has ever sent with. */
  spisOut(chain: Chain): readonly number[] {
    return [...this.#sas.values()].filter((sa) => sa.chain === chain).map((sa) => sa.spiOut);
  }

  /** The chain is about to be deleted, here or at the other end, where it has received with these SPIs. */
  doom(chain: Chain, spisIn: readonly number[]): void {
    this.#doomed = true;
    for (const sa of this.#sas.values()) if (sa.chain === chain || spisIn.includes(sa.spiIn)) sa.chain.doomed = true;
  }

  has(spiIn: number): boolean {
    return this.#sas.has(spiIn) || this.#expected.has(spiIn);
  }

  #newChain(name: string | undefined): Chain {
    const chain: Chain = { name, active: undefined, doomed: false, late: this.#doomed };
    this.chains.push(chain);
    return chain;
  }

  #violation(text: string): void {
    this.violations.push(`${this.name}: ${text}`);
  }
}

const hex = (spi: number): string => `0x${spi.toString(16)}`;
const isZero = (child: ChildSa): boolean => child.keyIn.every((byte) => byte === 0);
