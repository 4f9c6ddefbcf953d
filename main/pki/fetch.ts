// How CRLs and OCSP answers are fetched: by a function that the caller hands in, because these requests must go outside the tunnel
// that waits for them, whatever the routes say. `httpFetch` is that function over node:http. Plain HTTP only: what is fetched is
// signed, and TLS would need trust before there is any (RFC 5280 §8).
import { request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';

export interface FetchRequest {
  /** http:// only; whoever fetches refuses everything else. */
  readonly url: string;
  /** Absent: GET. Present: POST. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array } | undefined;
  readonly accept: string;
  /** The answer is given up beyond so many bytes, and after so many milliseconds in all. */
  readonly mostBytes: number;
  readonly timeout: number;
}

/** Rejects with an Error whose message a person can read: "no answer within 5 s". */
export type Fetch = (request: FetchRequest) => Promise<Uint8Array>;

const MOST_REDIRECTS = 3;

/** Makes the connection for a request; `signal` ends the attempt. */
export type Connect = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** `connect`: a way past the tunnel; absent: by the routes of the system. */
export function httpFetch(connect?: Connect): Fetch {
  return async (request) => {
    const signal = AbortSignal.timeout(request.timeout);
    let url = request.url;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      if (!URL.canParse(url) || new URL(url).protocol !== 'http:') throw new Error('it is no http:// address');
      const socket = await connectTo(new URL(url), connect, request.timeout, signal);
      const answer = await once({ ...request, url }, socket, signal);
      if (answer instanceof Uint8Array) return answer;
      url = new URL(answer.location, url).href;
    }
    throw new Error('it redirects too often');
  };
}

async function connectTo(
  { hostname, port }: URL,
  connect: Connect | undefined,
  timeout: number,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  if (!connect) return undefined;
  const connecting = connect(hostname.replace(/^\[|\]$/g, ''), port === '' ? 80 : Number(port), signal);
  // A resolver may be slower than everything that heeds the signal.
  const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(late(timeout))));
  try {
    return await Promise.race([connecting, ended]);
  } catch (error) {
    if (!signal.aborted) throw error;
    connecting.then(
      (socket) => socket.destroy(),
      () => {},
    );
    throw late(timeout);
  } finally {
    // Nobody waits for it any more.
    ended.catch(() => {});
  }
}

const late = (timeout: number): Error => new Error(`no answer within ${Math.round(timeout / 1000)} s`);

function once(
  { url, body, accept, mostBytes, timeout }: FetchRequest,
  socket: Socket | undefined,
  signal: AbortSignal,
): Promise<Uint8Array | { readonly location: string }> {
  return new Promise((resolve, reject) => {
    const headers = { accept, ...(body ? { 'content-type': body.type, 'content-length': body.bytes.length } : {}) };
    const fail = (error: Error) => reject(signal.aborted ? late(timeout) : error);
    // No connection stays open behind the caller's back. node:http ignores createConnection where `agent` is false.
    const way = socket ? { createConnection: () => socket } : { agent: false };
    const sent = httpRequest(url, { ...way, method: body ? 'POST' : 'GET', headers, signal }, (answer) => {
      const status = answer.statusCode ?? 0;
      if (status >= 300 && status < 400 && answer.headers.location && !body) {
        answer.destroy();
        return resolve({ location: answer.headers.location });
      }
      if (status !== 200) {
        answer.destroy();
        return reject(new Error(`it answers with HTTP status ${status}`));
      }
      const pieces: Buffer[] = [];
      let length = 0;
      answer.on('data', (piece: Buffer) => {
        length += piece.length;
        pieces.push(piece);
        if (length > mostBytes) answer.destroy(new Error(`it sends more than ${mostBytes} bytes`));
      });
      answer.on('end', () => resolve(Uint8Array.from(Buffer.concat(pieces))));
      answer.on('error', fail);
    });
    sent.on('error', fail);
    sent.end(body?.bytes);
  });
}
