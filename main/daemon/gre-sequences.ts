// The engine's memory of GRE sequence numbers (main/session/gre-sequence.ts says why), one small file beside the profiles:
// { "profile name": next number }. Written whole and renamed, so that it is never half of one.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { GreSequenceStore } from '../session/gre-sequence.ts';

/** Not a profile: the store of profiles reads *.json only. */
const FILE = '.gre-sequences';

const schema = z.record(z.string(), z.int().min(0).max(0xffff_ffff));

export interface GreSequences extends GreSequenceStore {
  /** The number goes with the profile; what was kept under its new name is dropped. May throw, as `save` may. */
  rename(from: string, to: string): void;
  /** Without effect where none is kept. May throw. */
  remove(profile: string): void;
}

export function openGreSequences(profileDirectory: string): GreSequences {
  const file = join(profileDirectory, FILE);

  function read(): Record<string, number> {
    try {
      return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      // Absent, or damaged: numbers start at 0, as they would without this file.
      return {};
    }
  }

  function write(numbers: Readonly<Record<string, number>>): void {
    mkdirSync(profileDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, JSON.stringify(numbers), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }

  return {
    load: (profile) => read()[profile] ?? null,
    save: (profile, next) => write({ ...read(), [profile]: next }),
    rename: (from, to) => {
      const { [from]: number, [to]: replaced, ...others } = read();
      if (number !== undefined) write({ ...others, [to]: number });
      else if (replaced !== undefined) write(others);
    },
    remove: (profile) => {
      const { [profile]: number, ...others } = read();
      if (number !== undefined) write(others);
    },
  };
}
