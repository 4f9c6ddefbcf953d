// "No allocation": in the text of both builds, no function that the host can call leads to an allocator, and nothing grows memory. asc's
// stub runtime is linked in as soon as one managed object is made anywhere.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MEMORY_PAGES } from '../../assembly/layout.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a module must not contain when nothing is ever allocated: a name of asc's runtime, or the growth of memory. */
const ALLOCATION = /\$~lib\/rt\/|__new\b|__alloc\b|__renew\b|__pin\b|__collect\b|memory\.grow/;
/** Of the exports, those that the packet path calls. */
const PACKET = [
  'seal',
  'sealDummy',
  'open',
  'expireFragments',
  'takeParked',
  'outboundUse',
  'inboundUse',
  'greSequence',
];

/** Each function's lines, by name. */
function functionsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const functions = new Map<string, string[]>();
  let body: string[] = [];
  for (const line of text.split('\n')) {
    const name = /^ \(func (\$[^ )]+)/.exec(line)?.[1];
    if (name) {
      body = [];
      functions.set(name, body);
    } else body.push(line.trim());
  }
  return functions;
}

/** Names of the functions that calls from `name` lead to, itself included. */
function reachable(functions: ReadonlyMap<string, readonly string[]>, name: string): ReadonlySet<string> {
  const seen = new Set([name]);
  for (const one of seen)
    for (const line of functions.get(one) ?? []) {
      const called = /^(?:return_)?call (\$\S+)/.exec(line)?.[1];
      if (called) seen.add(called);
    }
  return seen;
}

const allocations = (text: string): readonly string[] => text.split('\n').filter((line) => ALLOCATION.test(line));

execFileSync(process.execPath, ['build/build.mjs'], { cwd: root, stdio: 'inherit' });

describe.each(['core', 'core-relaxed'])('%s.wasm', (build) => {
  const text = readFileSync(join(root, 'build', 'out', `${build}.wat`), 'utf8');
  const functions = functionsOf(text);
  const exported = new Map(
    [...text.matchAll(/\(export "(\w+)" \(func (\$[^)]+)\)\)/g)].map(([, name, of]) => [name, of!]),
  );

  it.each(PACKET)('%s calls no allocator, by whatever way', (name) => {
    const start = exported.get(name);
    if (start === undefined) throw new Error(`the core exports no ${name}`);
    const called = [...reachable(functions, start)];
    for (const one of called) expect(allocations((functions.get(one) ?? []).join('\n')), one).toEqual([]);
    expect(called.filter((one) => ALLOCATION.test(one))).toEqual([]);
    // Those with work to do call others, or this would look at nothing.
    if (name === 'seal' || name === 'open') expect(called.length).toBeGreaterThan(20);
  });

  it('never allocates, in no function at all, and calls none that is not named', () => {
    expect(functions.size).toBeGreaterThan(100);
    expect(allocations(text)).toEqual([]);
    expect(text).not.toMatch(/call_indirect|call_ref/);
  });

  it('imports its memory, the optional accelerator, and nothing else', () => {
    const imports = text.split('\n').filter((line) => line.trimStart().startsWith('(import'));
    expect(imports.map((line) => line.trim())).toEqual([
      `(import "env" "memory" (memory $0 ${MEMORY_PAGES} ${MEMORY_PAGES}))`,
      '(import "env" "encryptBlocks" (func $assembly/crypto/aes-stream/encryptBlocks (param i32 i32 i32) (result i32)))',
    ]);
  });
});

it.each([
  ['an array', 'new Array<i32>(n).length'],
  ['a typed array', 'new Uint8Array(n).length'],
  ['a string that is put together', '("a" + n.toString()).length'],
  ['an object', 'new Pair(n, n).sum()'],
])('would see %s', (_, expression) => {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-allocator-'));
  try {
    const source = `class Pair {
  constructor(public a: i32, public b: i32) {}
  sum(): i32 { return this.a + kept.push(this); }
}
const kept: Pair[] = [];
export function seal(n: i32): i32 { return ${expression}; }
`;
    writeFileSync(join(folder, 'index.ts'), source);
    const flags = ['--runtime', 'stub', '-O3', '--noAssert', '--use', 'abort=', '--textFile', 'out.wat'];
    execFileSync(process.execPath, [join(root, 'node_modules/assemblyscript/bin/asc.js'), 'index.ts', ...flags], {
      cwd: folder,
      stdio: 'pipe',
    });
    expect(allocations(readFileSync(join(folder, 'out.wat'), 'utf8'))).not.toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
