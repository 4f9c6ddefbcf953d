// How every benchmark writes numbers: one place for units, digits and columns, so that tables read alike.
//
//   Mbit/s, packets/s, MiB, ms          what it says; never bits and bytes mixed in one column
//   ×                                   Culvert's figure divided by the other's where more is better, the other's divided by
//                                       Culvert's where less is better: above 1, Culvert is ahead
//   12 (10-13)                          median (minimum-maximum) of the rounds
//   !                                   others used the machine while this was measured: mistrust it

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Throws on an empty list: a figure of nothing is a mistake. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('no samples');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number };
}

/** The value that `share` (0 to 1) of `values` do not pass: the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('no samples');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

/** Three significant digits, without exponents; thousands set apart. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  if (magnitude >= 999.5) return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
  if (magnitude >= 99.95) return value.toFixed(0);
  if (magnitude >= 9.995) return value.toFixed(1);
  if (magnitude >= 0.9995) return value.toFixed(2);
  return value.toFixed(3);
}

export function ratio(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)}×` : '–';
}

export function withRange({ median, min, max }: Spread): string {
  return min === max ? figure(median) : `${figure(median)} (${figure(min)}-${figure(max)})`;
}

/** Columns as wide as their widest cell; the first to the left, numbers to the right. `head` may hold several lines. */
export function table(head: readonly (readonly string[])[], rows: readonly (readonly string[])[]): string {
  const all = [...head, ...rows];
  const columns = Math.max(...all.map((cells) => cells.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...all.map((cells) => (cells[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, i) => (i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width)))
      .join('  ')
      .trimEnd();
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 2 * (columns - 1)));
  return [...head.map(line), rule, ...rows.map(line)].join('\n');
}
