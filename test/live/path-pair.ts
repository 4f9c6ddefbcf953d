// Two data planes on real TUNs in namespaces of their own, keys installed by hand (net-child.mjs, task `peer`): what the
// path tests load, starve and count.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Child, link, Namespace, skipped } from './net-namespace.ts';

export interface Final {
  readonly counters: Readonly<Record<string, number>>;
  readonly io: Readonly<Record<string, number>>;
  readonly events: readonly { readonly kind: string; readonly text?: string }[];
}

/** Why these tests cannot run here; undefined: they can. */
export function pathSkipped(...programs: readonly string[]): string | undefined {
  if (skipped !== undefined) return skipped;
  for (const program of programs) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'pipe' });
    } catch {
      return `${program} is not installed`;
    }
  }
  return undefined;
}

/** Long transfers: ten minutes each. */
export const LONG = process.env.CULVERT_LONG === '1';

export class PathPair {
  readonly left: Namespace;
  readonly right: Namespace;
  readonly #ends: Child[] = [];

  constructor(label: string) {
    this.left = new Namespace(`${label}l`);
    this.right = new Namespace(`${label}r`);
    link(this.left, this.right, { left: ['192.168.9.1/24'], right: ['192.168.9.2/24'] });
  }

  /** Inside: 10.88.0.1 (left) and 10.88.0.2 (right). */
  async start(options: Record<string, unknown> = {}): Promise<void> {
    for (const [i, where] of [this.left, this.right].entries()) {
      const end = where.start({
        ...{ task: 'peer', initiator: i === 0, shape: 'gre-tunnel', cipher: 'chacha20-poly1305', port: 4500 },
        ...{ local: `192.168.9.${i + 1}`, remote: `192.168.9.${2 - i}`, name: 'culv0', mtu: 1400 },
        ...{ addresses: [`10.88.0.${i + 1}/24`, `fd88::${i + 1}/64`] },
        ...options,
      });
      this.#ends.push(end);
      await end.next();
    }
  }

  /** Resident bytes of both ends' processes, in MiB. */
  resident(): number[] {
    return this.#ends.map(({ process }) => {
      const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
    });
  }

  /** Ends both data planes and returns what they counted. */
  async finish(): Promise<[Final, Final]> {
    const finals: Final[] = [];
    for (const end of this.#ends) {
      end.process.stdin?.end();
      finals.push(await end.next<Final>());
      await end.end();
    }
    return finals as [Final, Final];
  }

  async remove(): Promise<void> {
    await this.left.remove();
    await this.right.remove();
  }
}

/** Round trips of `ping -D`-less output, in milliseconds, ascending. */
export function roundTrips(output: string): number[] {
  return [...output.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1])).sort((a, b) => a - b);
}

export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}

/**
 * What was sent arrived, or the receiving socket dropped it. The kernel counts a burst that it drops once (`sk_drops`), however many
 * datagrams it has, 1 to 64: each of the `drops` stands for so many of the `missing`. (How many exactly, the sequence numbers say:
 * `received.due` and `arrived` of PathStatistics.)
 */
function lostOnLink(missing: number, drops: number): number {
  if (missing < drops) return missing - drops;
  return Math.max(0, missing - drops * BURST);
}

const BURST = 64;

/** What left one end's core and did not come out of the other end, by the counters: 0 where every packet has a reason. */
export function unaccounted(from: Final, to: Final): { seal: number; link: number; open: number; write: number } {
  const of = (final: Final, ...names: readonly string[]) =>
    names.reduce((sum, name) => sum + (final.counters[name] ?? final.io[name] ?? 0), 0);
  const sealDrops = ['outTooBig', 'outBadInner', 'outNoTunnel', 'outNoSa', 'outHardLimit', 'outSequenceExhausted'];
  const openFates = Object.keys(to.counters).filter(
    (name) => name.startsWith('in') && !['inBytes', 'inMssClamped', 'inMerged'].includes(name),
  );
  return {
    // What the TUN gave = sealed + dropped by a reason + waiting.
    seal:
      of(from, 'tunRead', 'injected', 'outCut') -
      of(from, 'outPackets', 'outNoRoom', 'queueDropped', 'queued', ...sealDrops),
    link: lostOnLink(of(from, 'sent') - of(to, 'received', 'cutOff'), of(to, 'socketOverflow')),
    // What the sockets gave = opened + dropped by a reason.
    open: of(to, 'received') - of(to, ...openFates),
    // What was opened went to the TUN, or was refused by it.
    write: of(to, 'inPackets') - of(to, 'inMerged', 'tunWritten', 'tunDropped', 'noTun'),
  };
}
