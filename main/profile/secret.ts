// Secrets, certificates and keys in a profile: text, {"base64"}, {"hex"} or {"file"}. A file is read when the profile is imported, with
// the rights of the person who imports it, so the engine itself never opens a path that somebody else wrote.
import { type Told, tell } from '../words/told.ts';
import type { ProfileProblem } from './problem.ts';
import { pointerOf } from './problem.ts';
import { nearest } from './suggest.ts';

/** Reads a secret's file, its path as written in the profile. Throws what the file system says. */
export type ReadSecretFile = (path: string) => { readonly bytes: Uint8Array; readonly warnings: readonly Told[] };

export interface Secret {
  readonly bytes: Uint8Array;
  readonly warnings: readonly Told[];
}

const POINTER = pointerOf(['authentication', 'secret']);
const FORMS = ['base64', 'hex', 'file'] as const;
type Form = (typeof FORMS)[number];

/** More than any gateway takes; a whole file given by mistake is caught here. */
const MOST_BYTES = 4096;
/** Of a certificate file, with a chain or a bundle of authorities in it; a CRL may be large. */
const MOST_MATERIAL = 128 * 1024;
/** Shorter ones can be guessed by whoever poses as the gateway once (RFC 7296 §2.15 wants unpredictable keys). */
const SHORT_BYTES = 16;

type Checked = (bytes: Uint8Array, warnings: readonly Told[], pointer: string) => Secret | readonly ProfileProblem[];

const problem = (message: string, place: Partial<ProfileProblem>): readonly ProfileProblem[] => [
  { code: 'secret', pointer: POINTER, message, ...place },
];

/** A shared secret at `pointer`. `readFile` undefined: files are refused. The value itself is in no message. */
export function readSecret(
  raw: unknown,
  readFile: ReadSecretFile | undefined,
  pointer = POINTER,
): Secret | readonly ProfileProblem[] {
  return read(raw, readFile && ((path) => withoutNewline(readFile(path))), pointer, checked);
}

/** A certificate, a key, or another file's content at `pointer`, in the same forms; text is PEM. */
export function readMaterial(
  raw: unknown,
  readFile: ReadSecretFile | undefined,
  pointer: string,
): Secret | readonly ProfileProblem[] {
  return read(raw, readFile, pointer, (bytes, warnings, at) => {
    if (bytes.length === 0) return problem('is empty.', { pointer: at });
    if (bytes.length > MOST_MATERIAL) return problem(`is longer than ${MOST_MATERIAL} bytes.`, { pointer: at });
    return { bytes, warnings };
  });
}

function read(
  raw: unknown,
  readFile: ReadSecretFile | undefined,
  where: string,
  checked: Checked,
): Secret | readonly ProfileProblem[] {
  if (raw === undefined) return problem('is missing.', { code: 'missing', pointer: where });
  if (typeof raw === 'string') return checked(new TextEncoder().encode(raw), [], where);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return problem('is neither text nor an object.', { pointer: where });
  const keys = Object.keys(raw);
  const unknown = keys.filter((key) => !FORMS.some((form) => form === key));
  if (unknown.length > 0)
    return unknown.map((key): ProfileProblem => {
      const meant = nearest(key, FORMS);
      return {
        code: 'unknown-key',
        pointer: `${where}${pointerOf([key])}`,
        message: 'is not a key of a secret.',
        ...(meant ? { suggestion: `${where}${pointerOf([meant])}` } : {}),
      };
    });
  const [form, second] = keys as Form[];
  if (!form || second)
    return problem('must have exactly one of the keys "base64", "hex" and "file".', { pointer: where });
  const value: unknown = (raw as Record<Form, unknown>)[form];
  const pointer = `${where}${pointerOf([form])}`;
  if (typeof value !== 'string') return problem('is not text.', { pointer });
  switch (form) {
    case 'base64': {
      const bytes = Buffer.from(value, 'base64');
      // Node skips what it does not know; a secret with a typing error must not pass.
      const same = bytes.toString('base64').replace(/=+$/, '') === value.replace(/=+$/, '');
      return same && value.length > 0
        ? checked(Uint8Array.from(bytes), [], pointer)
        : problem('is not base64.', { pointer });
    }
    case 'hex':
      return /^([0-9a-fA-F]{2})+$/.test(value)
        ? checked(Uint8Array.from(Buffer.from(value, 'hex')), [], pointer)
        : problem('is not an even number of hexadecimal digits.', { pointer });
    case 'file':
      return fromFile(value, readFile, pointer, checked);
  }
}

function fromFile(
  path: string,
  readFile: ReadSecretFile | undefined,
  pointer: string,
  checked: Checked,
): Secret | readonly ProfileProblem[] {
  if (path === '') return problem('is empty.', { pointer });
  if (!readFile)
    return problem('names a file, and files are only read by `culvert import` and `culvert up`.', { pointer });
  try {
    const { bytes, warnings } = readFile(path);
    return checked(bytes, warnings, pointer);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const because =
      code === 'ENOENT'
        ? 'it does not exist'
        : code === 'EACCES' || code === 'EPERM'
          ? 'you may not read it'
          : (code ?? (error instanceof Error ? error.message : String(error)));
    return problem(`names the file ${JSON.stringify(path)}, which cannot be read: ${because}.`, { pointer });
  }
}

const withoutNewline = ({ bytes, warnings }: Secret): Secret => ({ bytes: withoutFinalNewline(bytes), warnings });

/** Editors and `echo` end a text file with a newline that is not part of the secret. Bytes that are not text stay as they are. */
function withoutFinalNewline(bytes: Uint8Array): Uint8Array {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return new TextEncoder().encode(text.replace(/\r?\n$/, ''));
  } catch {
    return bytes;
  }
}

function checked(bytes: Uint8Array, warnings: readonly Told[], pointer: string): Secret | readonly ProfileProblem[] {
  if (bytes.length === 0) return problem('is empty.', { pointer });
  if (bytes.length > MOST_BYTES) return problem(`is longer than ${MOST_BYTES} bytes.`, { pointer });
  if (bytes.length >= SHORT_BYTES) return { bytes, warnings };
  return { bytes, warnings: [...warnings, tell('profile.shortSecret', { bytes: bytes.length, least: SHORT_BYTES })] };
}
