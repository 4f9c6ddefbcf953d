// An HTTP/1.1 client on the in-memory host: GET of one page, the connection closed behind it.
import type { Address } from '../../../wire/address.ts';
import type { Host } from '../host.ts';
import type { TcpFailure } from '../tcp/connection.ts';
import { encodeHead, HeadReader } from './message.ts';

export interface Fetched {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export type FetchFailure = TcpFailure | 'malformed' | 'unsupported' | 'truncated' | 'too-long';

/** More body than this is not waited for. */
const MOST_BODY = 16 << 20;

const WHY: Readonly<Record<FetchFailure, string>> = {
  refused: 'nothing listens on that port',
  reset: 'the server reset the connection',
  'timed-out': 'the server did not answer',
  aborted: 'the host was closed',
  malformed: 'the answer is not HTTP/1.1',
  unsupported: 'the answer uses a transfer coding, which this client does not speak',
  truncated: 'the connection ended before the whole page had come',
  'too-long': 'the page is longer than 16 MiB',
};

export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly code: FetchFailure;

  constructor(code: FetchFailure) {
    super(`the page could not be fetched: ${WHY[code]}`);
    this.code = code;
  }
}

/** `authority` goes into the Host field. Rejects with FetchError. */
export function fetchHttp(
  host: Host,
  server: Address,
  port: number,
  path: string,
  authority: string,
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const connection = host.connect(server, port);
    const reader = new HeadReader();
    const body: Uint8Array[] = [];
    let head: { readonly status: number; readonly fields: ReadonlyMap<string, string> } | undefined;
    let length: number | undefined;
    let got = 0;
    let done = false;

    const finish = (failure?: FetchFailure): void => {
      if (done) return;
      done = true;
      if (failure || !head) {
        connection.abort();
        reject(new FetchError(failure ?? 'truncated'));
        return;
      }
      connection.end();
      resolve({ ...head, body: Buffer.concat(body) });
    };
    const takeBody = (bytes: Uint8Array): void => {
      const wanted = length === undefined ? bytes : bytes.subarray(0, length - got);
      body.push(wanted.slice());
      got += wanted.length;
      if (got > MOST_BODY) finish('too-long');
      else if (length !== undefined && got >= length) finish();
    };

    connection.handlers = {
      onOpen: () => {
        connection.write(encodeHead(`GET ${path} HTTP/1.1`, { Host: authority, Accept: '*/*', Connection: 'close' }));
      },
      onData(bytes) {
        if (done) return;
        if (head) {
          takeBody(bytes);
          return;
        }
        const read = reader.add(bytes);
        if (read === undefined) return;
        const [, status] =
          read === 'malformed' ? [] : (/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(read.head.startLine) ?? []);
        if (read === 'malformed' || !status) {
          finish('malformed');
          return;
        }
        if (read.head.fields.has('transfer-encoding')) {
          finish('unsupported');
          return;
        }
        const text = read.head.fields.get('content-length');
        if (text !== undefined && !/^\d{1,15}$/.test(text)) {
          finish('malformed');
          return;
        }
        length = text === undefined ? undefined : Number(text);
        head = { status: Number(status), fields: read.head.fields };
        takeBody(read.rest);
      },
      // RFC 9112 §6.3: without a length the body ends with the connection.
      onEnd: () => finish(length === undefined && head ? undefined : 'truncated'),
      onClose: (failure) => finish(failure ?? 'truncated'),
    };
  });
}
