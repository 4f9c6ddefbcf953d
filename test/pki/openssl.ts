// openssl as an independent implementation, in a folder of its own that is removed in the end.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Openssl {
  /** Runs openssl in the folder. */
  run(...args: readonly string[]): Buffer;
  write(name: string, content: string | Uint8Array): void;
  read(name: string): Buffer;
  close(): void;
}

export function openssl(): Openssl {
  const folder = mkdtempSync(join(tmpdir(), `culvert-pki-${process.pid}-`));
  return {
    run: (...args) => execFileSync('openssl', args, { cwd: folder, timeout: 30_000, stdio: 'pipe' }),
    write: (name, content) => writeFileSync(join(folder, name), content),
    read: (name) => readFileSync(join(folder, name)),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
