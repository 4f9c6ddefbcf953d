// What each person of this computer prefers, kept by the engine so that every interface of theirs agrees: a file for each
// user number, replaced as a whole.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, DEFAULT_SETTINGS, type Params, Settings } from '../ipc/contract.ts';
import { EngineError } from '../ipc/error.ts';
import { createTurns } from '../net/in-turn.ts';

export interface SettingsStore {
  /** The defaults where nothing (or nothing that can be read) is stored. */
  read(uid: number | null): Promise<Settings>;
  /** Rejects with EngineError `daemon/settings`. */
  change(uid: number | null, change: Params<'setSettings'>): Promise<Settings>;
}

export function openSettings(directory: string): SettingsStore {
  const inTurn = createTurns();
  /** Nobody knows who it is: they share one file. */
  const fileOf = (uid: number | null): string => join(directory, `${uid ?? 'unknown'}.json`);

  const read = async (uid: number | null): Promise<Settings> => {
    try {
      const stored: unknown = JSON.parse(await readFile(fileOf(uid), 'utf8'));
      const merged = { ...DEFAULT_SETTINGS, ...(stored as Partial<Settings>) };
      return check(Settings, merged) === null ? merged : DEFAULT_SETTINGS;
    } catch {
      // Never stored, or damaged.
      return DEFAULT_SETTINGS;
    }
  };

  const write = async (uid: number | null, settings: Settings): Promise<void> => {
    const file = fileOf(uid);
    const beside = `${file}.${process.pid}.new`;
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writeFile(beside, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600, flush: true });
      await rename(beside, file);
    } catch (error) {
      // Whether it can be removed or not, the first error is the one to tell.
      await rm(beside, { force: true }).catch(() => {});
      throw new EngineError({
        code: 'daemon/settings',
        message: `The settings could not be stored in ${directory} (${(error as NodeJS.ErrnoException).code ?? error}).`,
        remedy: 'The engine needs to write this directory: check its owner and the space on the disk.',
      });
    }
  };

  return {
    read,
    change(uid, change) {
      return inTurn(async () => {
        const next: Settings = { ...(await read(uid)), ...change };
        await write(uid, next);
        return next;
      });
    },
  };
}
