// A profile from a web address: over TLS only, also after a redirection, bounded in size and time. It is text from a stranger
// until the profile's own checks have read it. A stranger's redirection does not lead into this computer or its networks, as
// far as the address says so itself: names are not looked up for that.
import { BlockList, isIP } from 'node:net';
import { EngineError } from '../ipc/error.ts';

const MOST_BYTES = 256 * 1024;
const PATIENCE = 15_000;
const MOST_REDIRECTIONS = 3;

export type Fetch = (
  url: string,
  init: { readonly signal: AbortSignal; readonly redirect: 'manual' },
) => Promise<Response>;

const failure = (code: string, message: string, remedy: string): EngineError =>
  new EngineError({ code: `profile/${code}`, message, remedy, data: { field: 'url' } });

/** Rejects with EngineError `profile/url` (it cannot be an address of a profile) or `profile/fetch`. */
export async function fetchProfile(text: string, get: Fetch = fetch): Promise<string> {
  let url = readUrl(text);
  const signal = AbortSignal.timeout(PATIENCE);
  for (let hop = 0; hop <= MOST_REDIRECTIONS; hop++) {
    let response: Response;
    try {
      response = await get(url.href, { signal, redirect: 'manual' });
    } catch (error) {
      throw unreachable(url, error);
    }
    const to = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (to !== null) {
      await response.body?.cancel();
      url = redirected(url, to);
      continue;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw failure(
        'fetch',
        `${url.host} answers ${response.status} instead of a profile.`,
        'Check the address; it may have expired, or want you to log in: then download the file and import it.',
      );
    }
    return readBounded(response, url);
  }
  throw failure('fetch', `${url.host} sends us from one address to the next.`, 'Ask your administrator for the file.');
}

function readUrl(text: string): URL {
  if (!URL.canParse(text))
    throw failure('url', 'This is not a web address.', 'It looks like https://vpn.example.com/office.json.');
  const url = new URL(text);
  if (url.protocol !== 'https:')
    throw failure(
      'url',
      `Profiles are fetched over https only, not ${url.protocol.slice(0, -1)}: a profile holds a secret.`,
      'Use an address that begins with https://, or import the file.',
    );
  if (url.username !== '' || url.password !== '')
    throw failure('url', 'The address holds a name or a password.', 'Download the file yourself, and import it.');
  return url;
}

function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw failure(
      'fetch',
      `${from.host} sends us to something that is no web address.`,
      'Ask your administrator for the file.',
    );
  const to = readUrl(new URL(location, from).href);
  if (isInside(to) && !isInside(from))
    throw failure(
      'fetch',
      `${from.host} sends us to ${to.host}, an address of this computer or of its own networks.`,
      'If that is right, give that address yourself; else ask your administrator for the file.',
    );
  return to;
}

/** This host, private, link-local and shared addresses (RFC 6890), and names that stand for this computer (RFC 6761 §6.3). */
const inside = new BlockList();
for (const [network, length] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  inside.addSubnet(network, length, 'ipv4');
  // IPv4-mapped (RFC 4291 §2.5.5.2).
  inside.addSubnet(`::ffff:${network}`, 96 + length, 'ipv6');
}
inside.addSubnet('::', 127, 'ipv6');
inside.addSubnet('fc00::', 7, 'ipv6');
inside.addSubnet('fe80::', 10, 'ipv6');

function isInside({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const family = isIP(host);
  return family !== 0 && inside.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

async function readBounded(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MOST_BYTES)
        throw failure('fetch', `What ${url.host} sends is longer than any profile.`, 'Check the address.');
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof EngineError ? error : unreachable(url, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(url: URL, error: unknown): EngineError {
  const late = error instanceof Error && error.name === 'TimeoutError';
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return failure(
    'fetch',
    late ? `${url.host} did not answer within ${PATIENCE / 1000} s.` : `${url.host} cannot be reached: ${cause}.`,
    'Check the address and that this computer is online; a page with a certificate of its own is not believed.',
  );
}
