// When an SA should be replaced (RFC 4301 §4.4.2.1): its worker says so once. The core counts, and says that some SA has reached its
// limit (Core.softLimits); this tells which.
import type { SaUse } from '../core/api.ts';
import type { OutboundSaParams } from './command.ts';

export class SoftLimit {
  readonly #packets: number;
  readonly #bytes: number;
  #reached = false;

  constructor({ softPackets, softBytes }: Pick<OutboundSaParams, 'softPackets' | 'softBytes'>) {
    this.#packets = softPackets ?? Number.POSITIVE_INFINITY;
    this.#bytes = softBytes ?? Number.POSITIVE_INFINITY;
  }

  /** True the first time that `use` is at the limit. */
  reachedNow(use: SaUse): boolean {
    if (this.#reached || (use.packets < this.#packets && use.bytes < this.#bytes)) return false;
    this.#reached = true;
    return true;
  }
}
