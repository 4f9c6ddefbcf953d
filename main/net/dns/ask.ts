// Addresses of a name, asked of given servers over connections that somebody else makes (RFC 1035 §4, over TCP: §4.2.2, RFC 7766). For
// what the engine itself has to find while the system's resolver asks inside a tunnel that is down: its gateway, above all.
import type { Socket } from 'node:net';
import { type Address, parseAddress } from '../../wire/address.ts';
import { isWireError, WireError } from '../../wire/error.ts';
import { Reader } from '../../wire/reader.ts';
import { readQuestion } from './question.ts';

export type Connect = (server: Address, signal: AbortSignal) => Promise<Socket>;

const TYPE_A = 1;
const TYPE_AAAA = 28;
const LAYER = 'DNS answer';
/** Milliseconds that one server has. */
const PATIENCE = 3_000;

/** IPv6 and IPv4 addresses of the name, from the first server that answers. Rejects where none does. */
export async function askAddresses(
  name: string,
  servers: readonly string[],
  connect: Connect,
  random: (length: number) => Uint8Array,
): Promise<readonly Address[]> {
  let failed: unknown = new Error('no name server is known');
  for (const server of servers) {
    // A link-local server cannot be reached through a socket that has no interface of its own.
    const address = parseAddress(server);
    if (!address) continue;
    try {
      const answers = await Promise.all(
        [TYPE_AAAA, TYPE_A].map((type) => exchange(queryFor(name, type, random), address, connect)),
      );
      return answers.flatMap((answer) => {
        const found = readAddresses(answer);
        if (isWireError(found)) throw new Error(found.toString());
        return found;
      });
    } catch (error) {
      failed = error;
    }
  }
  throw failed;
}

/** A recursive query for one name and type. */
export function queryFor(name: string, type: number, random: (length: number) => Uint8Array): Uint8Array {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .flatMap((label) => {
      const bytes = new TextEncoder().encode(label);
      if (bytes.length === 0 || bytes.length > 63) throw new RangeError(`${name} is not a domain name`);
      return [bytes.length, ...bytes];
    });
  return Uint8Array.of(...random(2), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1);
}

async function exchange(query: Uint8Array, server: Address, connect: Connect): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(PATIENCE);
  const socket = await connect(server, signal);
  return new Promise<Uint8Array>((resolve, reject) => {
    let received: Uint8Array = new Uint8Array(0);
    const over = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    signal.addEventListener('abort', () => over(new Error('the name server does not answer in time')));
    socket.on('error', over);
    socket.on('close', () => over(new Error('the name server hung up')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const length = received.length < 2 ? Number.POSITIVE_INFINITY : received[0]! * 256 + received[1]!;
      if (received.length < length + 2) return;
      const answer = received.slice(2, 2 + length);
      const [asked, said] = [readQuestion(query), readQuestion(answer)];
      if (isWireError(asked) || isWireError(said) || said.id !== asked.id || said.key !== asked.key || !said.response)
        return over(new Error('the name server answers something else'));
      resolve(answer);
      socket.destroy();
    });
    socket.write(Buffer.concat([Uint8Array.of(query.length >> 8, query.length & 0xff), query]));
  });
}

/** Every A and AAAA record of an answer, whatever name it stands under: a chain of CNAMEs ends in them. */
export function readAddresses(answer: Uint8Array): readonly Address[] | WireError {
  const reader = new Reader(answer, LAYER);
  const head = reader.take(6);
  const count = reader.uint(2);
  const rest = reader.take(4);
  if (isWireError(head)) return head;
  if (isWireError(count)) return count;
  if (isWireError(rest)) return rest;
  const code = head[3]! & 0x0f;
  // NXDOMAIN (3) is an answer: there are none.
  if (code !== 0 && code !== 3) return new WireError('value', LAYER, 3, `no error, got RCODE ${code}`);
  const question = skipName(reader) ?? reader.take(4);
  if (isWireError(question)) return question;
  const addresses: Address[] = [];
  for (let i = 0; i < count; i++) {
    const name = skipName(reader);
    if (name) return name;
    const type = reader.uint(2);
    const classAndTtl = reader.take(6);
    const length = reader.uint(2);
    if (isWireError(type)) return type;
    if (isWireError(classAndTtl)) return classAndTtl;
    if (isWireError(length)) return length;
    const data = reader.take(length);
    if (isWireError(data)) return data;
    if ((type === TYPE_A && length === 4) || (type === TYPE_AAAA && length === 16))
      addresses.push(Uint8Array.from(data));
  }
  return addresses;
}

/** A name ends with its root or with a pointer (RFC 1035 §4.1.4). */
function skipName(reader: Reader): WireError | undefined {
  for (;;) {
    const length = reader.uint(1);
    if (isWireError(length)) return length;
    if (length === 0) return undefined;
    const rest = reader.take(length >= 0xc0 ? 1 : length);
    if (isWireError(rest)) return rest;
    if (length >= 0xc0) return undefined;
    if (length > 63) return new WireError('value', LAYER, reader.offset, 'a label or a pointer');
  }
}
