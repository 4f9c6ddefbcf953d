// Results go two ways: a table on the terminal, and build/out/bench/<name>.json with every sample for programs to read
// (build/bench-plot.mjs draws docs/benchmarks.svg from them).
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CALM, describeMachine, type Machine } from './machine.ts';
import { ROUNDS, SECONDS } from './settings.ts';

const FOLDER = fileURLToPath(new URL('../../build/out/bench/', import.meta.url));

export interface Report<Row> {
  readonly benchmark: string;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly absent?: readonly { readonly name: string; readonly reason: string }[];
}

export function save<Row>(report: Report<Row>): void {
  mkdirSync(FOLDER, { recursive: true });
  const whole = { format: 1, rounds: ROUNDS, seconds: SECONDS, ...report };
  writeFileSync(`${FOLDER}${report.benchmark}.json`, `${JSON.stringify(whole, null, 2)}\n`);
}

export function print(title: string, report: Report<unknown>, ...parts: readonly string[]): void {
  const lines = [`\n# ${title}`, describeMachine(report.machine), ''];
  lines.push(...parts);
  for (const { name, reason } of report.absent ?? []) lines.push(`left out: ${name}: ${reason}`);
  console.log(lines.join('\n'));
}

/** A mark behind figures that were taken while others used the machine. */
export function mark(foreign: number): string {
  return foreign > CALM ? ` ! ${Math.round(100 * foreign)} %` : '';
}
