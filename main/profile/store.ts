// Stored profiles: one file each in a directory that only root reads (/etc/culvert/profiles). A file is written beside
// its place and moved there, so that a crash leaves the old one or the new one, never half of one.
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParsedProfile, parseProfile } from './parse.ts';
import { ProfileError } from './problem.ts';
import type { Profile } from './profile.ts';
import { nearest } from './suggest.ts';
import { wrongName } from './values.ts';

export const DEFAULT_PROFILE_DIRECTORY = '/etc/culvert/profiles';

export interface BrokenProfile {
  readonly name: string;
  readonly error: ProfileError;
}

export interface ProfileStore {
  readonly directory: string;
  /** Every profile, by name; `broken`: files that do not hold one (somebody edited them). */
  list(): Promise<{ readonly profiles: readonly Profile[]; readonly broken: readonly BrokenProfile[] }>;
  /** Rejects with ProfileError: `not-found`, `name`, or what is wrong with the file. */
  load(name: string): Promise<Profile>;
  /** The same with the stored text, which contains the secret. */
  read(name: string): Promise<ParsedProfile>;
  /** Rejects with ProfileError `exists` unless asked to replace. Returns whether one was replaced. */
  save(parsed: ParsedProfile, replace: boolean): Promise<boolean>;
  remove(name: string): Promise<void>;
}

const SUFFIX = '.json';
const errnoOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function storeError(directory: string, doing: string, error: unknown): ProfileError {
  return new ProfileError({
    code: 'store',
    message: `${doing} in ${directory} failed: ${errnoOf(error) ?? String(error)}.`,
    remedy: 'The engine needs to read and write this directory: check its owner (root) and the space on the disk.',
  });
}

function alreadyThere(name: string): ProfileError {
  return new ProfileError({
    code: 'exists',
    message: `There is a profile "${name}" already.`,
    remedy: 'Import with --replace to put this one in its place, or change the name in the file.',
  });
}

/** Whether the name was taken. */
async function taken(linking: Promise<void>): Promise<boolean> {
  try {
    await linking;
    return false;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return true;
    throw error;
  }
}

export function openProfileStore(directory: string): ProfileStore {
  const fileOf = (name: string): string => {
    // The name becomes a file name: nothing else may come out of it.
    if (wrongName(name))
      throw new ProfileError({
        code: 'name',
        message: `${JSON.stringify(name.slice(0, 80))} cannot be the name of a profile.`,
        remedy: 'Names have 1 to 63 letters, digits, ".", "_" and "-". `culvert list` shows the profiles there are.',
      });
    return join(directory, `${name}${SUFFIX}`);
  };

  const names = async (): Promise<string[]> => {
    try {
      const entries = await readdir(directory);
      return entries
        .filter((entry) => entry.endsWith(SUFFIX))
        .map((entry) => entry.slice(0, -SUFFIX.length))
        .filter((name) => !wrongName(name))
        .sort();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw storeError(directory, 'Listing the profiles', error);
    }
  };

  const notFound = async (name: string): Promise<ProfileError> => {
    const known = await names();
    const meant = nearest(name, known);
    const list = known.length > 0 ? `There are: ${known.join(', ')}.` : 'There are none yet.';
    return new ProfileError({
      code: 'not-found',
      message: `There is no profile "${name}".${meant ? ` Did you mean "${meant}"?` : ''}`,
      remedy: `${list} \`culvert import FILE\` adds one.`,
    });
  };

  const read = async (name: string): Promise<ParsedProfile> => {
    const file = fileOf(name);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw await notFound(name);
      throw storeError(directory, `Reading the profile "${name}"`, error);
    }
    const parsed = parseProfile(text, { stored: true });
    if (parsed.profile.name === name) return parsed;
    throw new ProfileError({
      code: 'name',
      message: `The file ${file} holds the profile "${parsed.profile.name}".`,
      remedy: 'Remove the file, and import the profile again.',
    });
  };

  const load = async (name: string): Promise<Profile> => (await read(name)).profile;

  return {
    directory,
    load,
    read,

    async list() {
      const profiles: Profile[] = [];
      const broken: BrokenProfile[] = [];
      for (const name of await names()) {
        try {
          profiles.push(await load(name));
        } catch (error) {
          if (!(error instanceof ProfileError)) throw error;
          broken.push({ name, error });
        }
      }
      return { profiles, broken };
    },

    async save({ profile, text }, replace) {
      const { name } = profile;
      const file = fileOf(name);
      // No suffix of a profile: a file that a crash leaves here is never taken for one.
      const beside = join(directory, `.${name}.${process.pid}.${randomBytes(6).toString('hex')}.new`);
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const existed = await stat(file).then(
          () => true,
          () => false,
        );
        const handle = await open(beside, 'wx', 0o600);
        try {
          await handle.chmod(0o600);
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        // link fails where the name is taken, in one step: two imports at once cannot both win.
        if (replace) await rename(beside, file);
        else if (await taken(link(beside, file))) throw alreadyThere(name);
        await syncDirectory(directory);
        return existed && replace;
      } catch (error) {
        throw error instanceof ProfileError ? error : storeError(directory, `Writing the profile "${name}"`, error);
      } finally {
        // Whether it can be removed or not, the first error is the one to tell.
        await rm(beside, { force: true }).catch(() => {});
      }
    },

    async remove(name) {
      const file = fileOf(name);
      try {
        await rm(file);
        await syncDirectory(directory);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') throw await notFound(name);
        throw storeError(directory, `Removing the profile "${name}"`, error);
      }
    },
  };
}

/** Makes a rename or a removal survive a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Looks for rights that others than the owner have, and takes them away where `repair` says so (our own directory; one that
 * a person named may hold other things, too). Returns what it found, in words.
 */
export async function checkProfileRights(directory: string, repair: boolean): Promise<readonly string[]> {
  const found: string[] = [];
  const look = async (path: string, mode: number): Promise<void> => {
    try {
      if (((await stat(path)).mode & 0o077) === 0) return;
      if (repair) await chmod(path, mode);
      found.push(
        `${path} was open to others than its owner; ${repair ? `its mode is now ${mode.toString(8)}` : `it is best made private (chmod ${mode.toString(8)})`}`,
      );
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT')
        found.push(`${path} may be open to others, and that could not be changed (${errnoOf(error)})`);
    }
  };
  await look(directory, 0o700);
  const entries = await readdir(directory).catch(() => []);
  for (const entry of entries) if (entry.endsWith(SUFFIX)) await look(join(directory, entry), 0o600);
  return found;
}
