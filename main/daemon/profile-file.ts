// A profile file as the person at the keyboard gives it: a secret in a file of its own is read here, with that person's
// rights, and put into the text that goes to the engine.
import { readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { EngineError } from '../ipc/error.ts';
import { parseProfile } from '../profile/parse.ts';
import { ProfileError } from '../profile/problem.ts';
import type { ReadSecretFile } from '../profile/secret.ts';
import { type Told, tell } from '../words/told.ts';

export interface ProfileFileText {
  readonly name: string;
  /** For the engine's `import`. Contains the secret. */
  readonly text: string;
  readonly warnings: readonly Told[];
}

const MOST_BYTES = 1024 * 1024;

/** Throws EngineError with every problem that the file has. `path` "-" reads standard input. */
export function readProfileFile(path: string): ProfileFileText {
  const text = readText(path);
  const base = path === '-' ? process.cwd() : dirname(resolve(path));
  try {
    const parsed = parseProfile(text, { readSecretFile: secretFileReader(base) });
    // Those of the profile itself come back from the engine; these only this side can know.
    const warnings = path === '-' || !hasSecret(text) ? [] : openToOthers(path, 'profile.fileOpen');
    return {
      name: parsed.profile.name,
      text: parsed.text,
      warnings: [...warnings, ...secretWarnings(parsed.warnings)],
    };
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    throw new EngineError({
      code: `profile/${error.code}`,
      message: `${path === '-' ? 'standard input' : path}: ${error.message}`,
      remedy: error.remedy,
    });
  }
}

function readText(path: string): string {
  try {
    if (path !== '-' && statSync(path).size > MOST_BYTES)
      throw new EngineError({
        code: 'profile/syntax',
        message: `${path} is larger than ${MOST_BYTES} bytes: it is not a profile.`,
        remedy: 'Name the profile file that your administrator gave you.',
      });
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const because = code === 'ENOENT' ? 'it does not exist' : code === 'EACCES' ? 'you may not read it' : code;
    throw new EngineError({
      code: 'profile/file',
      message: `The file ${path} cannot be read: ${because}.`,
      remedy: 'Check the name. A word without "/" and ".json" is taken for the name of a stored profile.',
    });
  }
}

function secretFileReader(base: string): ReadSecretFile {
  return (path) => {
    const file = isAbsolute(path) ? path : resolve(base, path);
    return { bytes: Uint8Array.from(readFileSync(file)), warnings: openToOthers(file, SECRET_FILE) };
  };
}

const SECRET_FILE = 'profile.secretFileOpen';

const secretWarnings = (warnings: readonly Told[]): readonly Told[] =>
  warnings.filter(({ code }) => code === SECRET_FILE);

const hasSecret = (text: string): boolean => text.includes('"secret"') && !text.includes('"file"');

/** A warning where others than the owner may read the file. */
function openToOthers(path: string, code: 'profile.fileOpen' | typeof SECRET_FILE): readonly Told[] {
  const { mode } = statSync(path);
  return mode & 0o044 ? [tell(code, { path, mode: (mode & 0o777).toString(8) })] : [];
}
