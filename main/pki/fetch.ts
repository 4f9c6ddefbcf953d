// How CRLs and OCSP answers are fetched: by a function that the caller hands in, because these requests must go outside the tunnel
// that waits for them, whatever the routes say. `httpFetch` is that function over node:http. Plain HTTP only: what is fetched is
// signed, and TLS would need trust before there is any (RFC 5280 §8).
import { type ClientRequestArgs, request as httpRequest } from 'node:http';

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

/**
 * `options` go to node:http as they are: `createConnection` (a socket with the mark of the engine's own traffic), `lookup` (a
 * resolver outside the tunnel), `localAddress`.
 */
export function httpFetch(
  options: Pick<ClientRequestArgs, 'createConnection' | 'lookup' | 'localAddress'> = {},
): Fetch {
  return async (request) => {
    const signal = AbortSignal.timeout(request.timeout);
    let url = request.url;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await once({ ...request, url }, options, signal);
      if (answer instanceof Uint8Array) return answer;
      url = new URL(answer.location, url).href;
    }
    throw new Error('it redirects too often');
  };
}

function once(
  { url, body, accept, mostBytes, timeout }: FetchRequest,
  options: ClientRequestArgs,
  signal: AbortSignal,
): Promise<Uint8Array | { readonly location: string }> {
  return new Promise((resolve, reject) => {
    if (!URL.canParse(url) || new URL(url).protocol !== 'http:') return reject(new Error('it is no http:// address'));
    const headers = { accept, ...(body ? { 'content-type': body.type, 'content-length': body.bytes.length } : {}) };
    const fail = (error: Error) =>
      reject(signal.aborted ? new Error(`no answer within ${Math.round(timeout / 1000)} s`) : error);
    // No agent: no connection stays open behind the caller's back.
    const sent = httpRequest(
      url,
      { ...options, agent: false, method: body ? 'POST' : 'GET', headers, signal },
      (answer) => {
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
      },
    );
    sent.on('error', fail);
    sent.end(body?.bytes);
  });
}
