// What the operating system hands over: `culvert://import?url=https://…`, or a profile file (*.culvert). Either leads to a
// preview that the person may accept; nothing here connects, whatever the link says.
//
// Any web page can make such a link, and a profile is a stranger's text: a link leads to a public host over https only, a file is
// read as far as a profile may be long, and what a dialog shows of either has no line ends or marks of direction in it that
// would let it say something else.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type DeepLink =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

export const SCHEME = 'culvert';
export const EXTENSION = '.culvert';
const LONGEST = 2048;
/** Largest profile file that is read; the contract's own limit is larger. */
const MOST_PROFILE_BYTES = 256 * 1024;

/** undefined: not for us, or not as it should be. `folder`: what a relative path begins from. */
export function parseLink(text: string, folder?: string): DeepLink | undefined {
  if (text.length > LONGEST || text.includes('\0')) return undefined;
  if (!text.toLowerCase().startsWith(`${SCHEME}:`)) return parseFile(text, folder);
  try {
    const link = new URL(text);
    if (link.host !== 'import' || (link.pathname !== '' && link.pathname !== '/')) return undefined;
    if (link.username || link.password || link.searchParams.getAll('url').length !== 1) return undefined;
    const target = new URL(link.searchParams.get('url') ?? '');
    if (target.protocol !== 'https:' || target.username || target.password || !isPublicName(target.hostname))
      return undefined;
    return { kind: 'url', url: target.href };
  } catch {
    return undefined;
  }
}

/** A path, or its URL: desktop environments hand over either. */
function parseFile(text: string, folder: string | undefined): DeepLink | undefined {
  if (!text.toLowerCase().endsWith(EXTENSION)) return undefined;
  if (!/^file:/i.test(text)) {
    // A web address that ends so is none of ours.
    if (/^[a-z][a-z0-9+.-]+:/i.test(text)) return undefined;
    return { kind: 'file', path: folder === undefined ? text : resolve(folder, text) };
  }
  try {
    const url = new URL(text);
    // A host would make Windows log in to it.
    return url.host === '' ? { kind: 'file', path: fileURLToPath(url) } : undefined;
  } catch {
    return undefined;
  }
}

/** Not an address, nor a name of this computer or its networks: the page that made the link may be after what is there. */
function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '');
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.')) return false;
  return !/(?:^|\.)(?:localhost|local|internal|home\.arpa)$/.test(name);
}

/** The first link or profile file of a command line (Linux, Windows: also of the second instance's). */
export function linkOfArguments(argv: readonly string[], folder?: string): DeepLink | undefined {
  for (const word of argv.slice(1)) {
    const link = word.startsWith('-') ? undefined : parseLink(word, folder);
    if (link) return link;
  }
  return undefined;
}

/** Throws an Error for people. A pipe or a device, which would have no end, is not read. */
export function readProfile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is not a file.`);
    const bytes = Buffer.alloc(MOST_PROFILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null);
    if (length > MOST_PROFILE_BYTES) throw new Error(`${path} is too large for a profile.`);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(file);
  }
}

/** A stranger's words in a dialog: no control characters but line ends, nothing that turns the direction of what follows. */
export function plain(text: string, most: number): string {
  const clean = text
    .replace(/[^\P{Cc}\n]/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, '');
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean;
}
