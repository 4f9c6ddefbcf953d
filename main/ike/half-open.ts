// The half-open IKE SAs of a responder: how many there are, and how many of them one source has. A source is an IPv4 address, or a /64 of
// IPv6, which is what one subscriber has for himself.
import type { Address } from '../wire/address.ts';
import type { SaName } from './peer.ts';

export class HalfOpen {
  readonly #sourceOf = new Map<SaName, string>();
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#sourceOf.size;
  }

  /** From where this address is. */
  of(address: Address): number {
    return this.#counts.get(sourceOf(address)) ?? 0;
  }

  add(name: SaName, address: Address): void {
    const source = sourceOf(address);
    this.#sourceOf.set(name, source);
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
  }

  /** It is half-open no more. A name that is not here changes nothing. */
  delete(name: SaName): void {
    const source = this.#sourceOf.get(name);
    if (source === undefined) return;
    this.#sourceOf.delete(name);
    const left = (this.#counts.get(source) ?? 0) - 1;
    if (left > 0) this.#counts.set(source, left);
    else this.#counts.delete(source);
  }
}

const sourceOf = (address: Address): string =>
  Buffer.from(address.subarray(0, address.length === 4 ? 4 : 8)).toString('hex');
