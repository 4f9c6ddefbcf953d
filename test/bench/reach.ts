// The goals that Culvert set itself end to end, GRE included, and whether this run reached them.
import type { Product } from './contenders/contender.ts';
import { figure, ratio, type Spread, spread, table } from './table.ts';

export interface Direction {
  /** Mbit/s of payload. */
  readonly throughput: Spread;
  /** CPU seconds per gigabyte, all processors. */
  readonly cpu: Spread;
  /** Milliseconds; all rounds' pings together. */
  readonly loadedMedian: number;
  readonly loaded99: number;
  readonly pings: number;
  readonly pingsLost: number;
}

export interface Row {
  readonly product: Product;
  readonly name: string;
  readonly up: Direction;
  readonly down: Direction;
  /** Milliseconds, over the rounds' medians. */
  readonly idlePing: Spread;
  /** Of all rounds' idle pings together. */
  readonly idle99: number;
  /** Milliseconds from one idle ping to the next. */
  readonly idleInterval: number;
  /** Of pings that keep no beat. */
  readonly strayPing: Spread;
  /** The largest share of the processors that others used in any of its samples. */
  readonly foreign: number;
}

export function isOurs({ product }: Row): boolean {
  return product === 'culvert';
}

/** "aes128gcm16" of "Culvert with GRE, aes128gcm16". */
export function cipherOf({ name }: Row): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}

/** Times the peer's fastest cipher. */
const FASTER: readonly (readonly [Product, string, number])[] = [
  ['openvpn', 'OpenVPN', 2],
  ['wireguard-go', 'wireguard-go', 3.5],
  ['strongswan', "strongSwan's userspace ESP", 5],
];
const LOADED_99_MS = 10;

export interface Goal {
  readonly goal: string;
  /** What was measured, for each of Culvert's ciphers. */
  readonly seen: readonly string[];
  /** For each of Culvert's ciphers; undefined: the peer did not take part. */
  readonly reached: readonly (boolean | undefined)[];
}

/** Each direction is held against the peer's fastest cipher in that direction; a goal is reached where both reach it. */
export function goals(rows: readonly Row[]): readonly Goal[] {
  const ours = rows.filter(isOurs);
  const of = (product: Product): readonly Row[] => rows.filter((row) => row.product === product);
  const directions = ['up', 'down'] as const;
  const list: Goal[] = FASTER.map(([product, label, times]) => {
    const seen = ours.map((mine) =>
      directions.map(
        (way) => mine[way].throughput.median / Math.max(...of(product).map((row) => row[way].throughput.median)),
      ),
    );
    return {
      goal: `TCP at least ${times} times ${label}, its fastest cipher`,
      seen: seen.map((pair) => pair.map(ratio).join(' / ')),
      reached: seen.map((pair) => (of(product).length ? pair.every((value) => value >= times) : undefined)),
    };
  });
  const tunnels = rows.filter((row) => !isOurs(row) && row.product !== 'bare');
  const least = directions.map((way) => Math.min(...tunnels.map((row) => row[way].cpu.median)));
  list.push({
    goal: `fewer CPU seconds per GB than any (least of them: ${least.map(figure).join(' / ')})`,
    seen: ours.map((mine) => directions.map((way) => figure(mine[way].cpu.median)).join(' / ')),
    reached: ours.map((mine) =>
      tunnels.length ? directions.every((way, i) => mine[way].cpu.median < (least[i] as number)) : undefined,
    ),
  });
  const openVpn = of('openvpn').map((row) => row.idlePing.median);
  const idle = openVpn.length ? spread(openVpn).median : Number.NaN;
  list.push({
    goal: `idle ping no slower than OpenVPN's (${figure(idle)} ms)`,
    seen: ours.map((mine) => `${figure(mine.idlePing.median)} ms`),
    reached: ours.map((mine) => (openVpn.length ? mine.idlePing.median <= idle : undefined)),
  });
  list.push({
    goal: `ping under load, p99 under ${LOADED_99_MS} ms`,
    seen: ours.map((mine) => directions.map((way) => figure(mine[way].loaded99)).join(' / ')),
    reached: ours.map((mine) => directions.every((way) => mine[way].loaded99 < LOADED_99_MS)),
  });
  return list;
}

export function reachTable(rows: readonly Row[]): string {
  const word = (reached: boolean | undefined): string =>
    reached === undefined ? 'not compared' : reached ? 'reached' : 'NOT reached';
  return table(
    [['Goals, up / down', ...rows.filter(isOurs).map(cipherOf)]],
    goals(rows).map(({ goal, seen, reached }) => [goal, ...seen.map((text, i) => `${text} ${word(reached[i])}`)]),
  );
}
