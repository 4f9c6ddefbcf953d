import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MEMORY_PAGES } from '../../assembly/layout.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a module must not contain when nothing is ever allocated: a name of asc's runtime, or the growth of memory. */
const ALLOCATION = /\$~lib\/rt\/|__new\b|__alloc\b|__renew\b|__pin\b|__collect\b|memory\.grow/;

describe('core.wasm', () => {
  execFileSync(process.execPath, ['build/build.mjs'], { cwd: root, stdio: 'inherit' });
  const text = readFileSync(join(root, 'build', 'out', 'core.wat'), 'utf8');

  it('is the packet core, not an empty module', () => {
    expect(text).toMatch(/\(export "seal"/);
    expect(text).toMatch(/\(export "open"/);
  });

  it('never allocates', () => {
    const lines = text.split('\n').filter((line) => ALLOCATION.test(line));
    expect(lines).toEqual([]);
  });

  it('imports its memory, the optional accelerator, and nothing else', () => {
    const imports = text.split('\n').filter((line) => line.trimStart().startsWith('(import'));
    expect(imports.map((line) => line.trim())).toEqual([
      `(import "env" "memory" (memory $0 ${MEMORY_PAGES} ${MEMORY_PAGES}))`,
      '(import "env" "encryptBlocks" (func $assembly/crypto/aes-stream/encryptBlocks (param i32 i32 i32) (result i32)))',
    ]);
  });
});
