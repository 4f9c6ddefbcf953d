// A profile from a web address: over TLS only, also after a redirection, bounded in size and time. It is text from a stranger
// until the profile's own checks have read it.
//
//   read the address ─▶ resolve its name once ─▶ judge every address ─▶ connect to one that was judged ─▶ TLS for the name ─▶ GET
//         ▲                                                                                                        │
//         └──────────────────────────────────── redirection, 3 at most ◀───────────────────────────────────────────┘
//
// A public name does not lead into this computer or its networks, whatever its DNS says (DNS rebinding), nor does a public host's
// redirection. Exceptions, where the person names such a place themselves: an address of it (https://10.0.0.1/…), and names that
// public DNS does not have (localhost, .local, .internal, home.arpa, names without a dot).
import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { EngineError } from '../ipc/error.ts';
import { isInsideAddress, isInsideName } from './inside.ts';

const MOST_BYTES = 256 * 1024;
/** Milliseconds: for everything, and for one of several addresses. */
const PATIENCE = 15_000;
const ADDRESS_PATIENCE = 5_000;
const MOST_REDIRECTIONS = 3;
const MOST_ADDRESSES = 8;

export interface FetchDeps {
  /** Every address of a name; rejects where it has none. */
  resolve(name: string): Promise<readonly string[]>;
  /** A TCP connection to this address; rejects where there is none. */
  connect(address: string, port: number, signal: AbortSignal): Promise<Socket>;
  /** Authorities that are believed, PEM; absent: Node's own. */
  readonly authorities?: string;
  /** Ends everything; absent: after PATIENCE. */
  readonly signal?: AbortSignal;
}

const failure = (code: string, message: string, remedy: string): EngineError =>
  new EngineError({ code: `profile/${code}`, message, remedy, data: { field: 'url' } });

const system: FetchDeps = {
  resolve: async (name) => (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address),
  connect: (host, port, signal) =>
    new Promise((resolve, reject) => {
      const socket = netConnect({ host, port });
      const abort = (): void => void socket.destroy(new Error('no answer in time'));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        signal.removeEventListener('abort', abort);
        socket.removeListener('error', reject);
        resolve(socket);
      });
    }),
};

/** Rejects with EngineError `profile/url` (it cannot be an address of a profile) or `profile/fetch`. */
export async function fetchProfile(text: string, deps: FetchDeps = system): Promise<string> {
  let url = readUrl(text);
  // Whether the person themselves named a place inside: then it may lead to others inside.
  const named = isOwn(url);
  const signal = deps.signal ?? AbortSignal.timeout(PATIENCE);
  for (let hop = 0; hop <= MOST_REDIRECTIONS; hop++) {
    const answer = await get(url, named, deps, signal);
    if (typeof answer === 'string') return answer;
    url = redirected(url, answer.location, named);
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

function redirected(from: URL, location: string, named: boolean): URL {
  if (!URL.canParse(location, from.href))
    throw failure(
      'fetch',
      `${from.host} sends us to something that is no web address.`,
      'Ask your administrator for the file.',
    );
  const to = readUrl(new URL(location, from).href);
  if (isOwn(to) && !named)
    throw failure(
      'fetch',
      `${from.host} sends us to ${to.host}, an address of this computer or of its own networks.`,
      'If that is right, give that address yourself; else ask your administrator for the file.',
    );
  return to;
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

/** It says itself that it is inside: whoever wrote it down means it. */
function isOwn(url: URL): boolean {
  const host = hostOf(url);
  return isIP(host) === 0 ? isInsideName(host) : isInsideAddress(host);
}

/** Addresses that may be connected to, all of them judged. */
async function judged(url: URL, named: boolean, deps: FetchDeps, signal: AbortSignal): Promise<readonly string[]> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return [host];
  const addresses = await within(deps.resolve(host), signal);
  if (addresses.length === 0) throw new Error('the name has no address');
  if (!named && !isOwn(url) && addresses.some(isInsideAddress))
    throw failure(
      'fetch',
      `${url.host} is a public name, but its address is one of this computer or of its own networks.`,
      'Nothing was fetched. If that is right, download the file with your browser and import it; else ask your administrator.',
    );
  return addresses.slice(0, MOST_ADDRESSES);
}

async function get(
  url: URL,
  named: boolean,
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<string | { readonly location: string }> {
  let socket: Socket | undefined;
  try {
    socket = await connectAny(await judged(url, named, deps, signal), Number(url.port || 443), deps, signal);
    const secure = await secured(socket, url, deps, signal);
    return await exchange(url, secure, signal);
  } catch (error) {
    throw error instanceof EngineError ? error : unreachable(url, error, signal);
  } finally {
    socket?.destroy();
  }
}

async function connectAny(
  addresses: readonly string[],
  port: number,
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<Socket> {
  let why: unknown;
  for (const address of addresses) {
    const own = addresses.length > 1 ? AbortSignal.any([signal, AbortSignal.timeout(ADDRESS_PATIENCE)]) : signal;
    try {
      return await within(deps.connect(address, port, own), own, (late) => late.destroy());
    } catch (error) {
      if (signal.aborted) throw error;
      why = error;
    }
  }
  throw why;
}

/** The certificate has to be valid for the name that was asked for, whatever the environment says. */
function secured(socket: Socket, url: URL, deps: FetchDeps, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(url);
  const secure = tlsConnect({
    socket,
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(deps.authorities === undefined ? {} : { ca: deps.authorities }),
  });
  const done = new Promise<Socket>((resolve, reject) => {
    secure.once('secureConnect', () => resolve(secure));
    secure.on('error', reject);
    secure.once('close', () => reject(new Error('the connection was closed')));
  });
  return within(done, signal);
}

function exchange(url: URL, socket: Socket, signal: AbortSignal): Promise<string | { readonly location: string }> {
  return new Promise((resolve, reject) => {
    const path = `${url.pathname}${url.search}`;
    const headers = {
      host: url.host,
      accept: 'application/json, */*',
      'accept-encoding': 'identity',
      connection: 'close',
    };
    const sent = request({ createConnection: () => socket, method: 'GET', path, headers, signal }, (answer) => {
      const status = answer.statusCode ?? 0;
      const refuse = (error: Error): void => {
        answer.destroy();
        reject(error);
      };
      if (status >= 300 && status < 400 && answer.headers.location !== undefined) {
        answer.destroy();
        return resolve({ location: answer.headers.location });
      }
      if (status !== 200)
        return refuse(
          failure(
            'fetch',
            `${url.host} answers ${status} instead of a profile.`,
            'Check the address; it may have expired, or want you to log in: then download the file and import it.',
          ),
        );
      if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity')
        return refuse(new Error('it sends what was not asked for (a content coding)'));
      const pieces: Buffer[] = [];
      let length = 0;
      answer.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length > MOST_BYTES)
          return refuse(failure('fetch', `What ${url.host} sends is longer than any profile.`, 'Check the address.'));
        pieces.push(piece);
      });
      answer.on('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** What comes after the end of all patience is dropped. */
function within<T>(work: Promise<T>, signal: AbortSignal, drop: (late: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('no answer in time'));
      work.then(drop, () => {});
    };
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

function unreachable(url: URL, error: unknown, signal: AbortSignal): EngineError {
  const said = error instanceof Error ? error.message : String(error);
  return failure(
    'fetch',
    signal.aborted
      ? `${url.host} did not answer within ${PATIENCE / 1000} s.`
      : `${url.host} cannot be reached: ${said}.`,
    'Check the address and that this computer is online; a page with a certificate of its own is not believed.',
  );
}
