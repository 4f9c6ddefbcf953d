// Traffic through the tunnel, with the kernel's TCP at both ends. A program of its own, since each end runs in a network
// namespace of its own; prints one JSON line.
//
//   traffic.js serve <address> <port>                      {"listening":…}, then until SIGTERM
//   traffic.js fetch <url>                                 {"status":200,"body":"…"}
//   traffic.js send|receive <address> <port> <seconds>     a Transfer (report.ts)
//   traffic.js trips <address> <port> <count>              round trips of 64 bytes, milliseconds: {"trips":[…]}
//
// A connection begins with one letter: S (bytes follow; answered by their hash), R and the seconds as a byte (bytes are
// sent back), H (answered by the hash of what was last sent back), P (everything is echoed).
import { createHash, randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import type { Transfer } from './report.ts';

interface Sum {
  readonly bytes: number;
  readonly hash: string;
}

const BLOCK = 1 << 16;
const TRIP_BYTES = 64;
const PATIENCE = 90_000;

function serve(address: string, port: number): void {
  let last: Sum = { bytes: 0, hash: '' };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (first) => {
      const rest = first.subarray(1);
      switch (String.fromCharCode(first[0]!)) {
        case 'S':
          receiveAll(socket, rest).then((sum) => socket.end(JSON.stringify(sum)));
          return;
        case 'R':
          sendFor(socket, rest[0]!).then((sum) => {
            last = sum;
          });
          return;
        case 'H':
          socket.end(JSON.stringify(last));
          return;
        case 'P':
          socket.pipe(socket);
          return;
        default:
          socket.destroy();
      }
    });
  });
  server.listen(port, address, () => print({ listening: `${address}:${port}` }));
  process.on('SIGTERM', () => process.exit(0));
}

/** Sends for some seconds, then ends its direction. Resolves when the last byte was handed to the kernel. */
function sendFor(socket: Socket, seconds: number): Promise<Sum> {
  const hash = createHash('sha256');
  // One random block, sent at a moving offset: making new bytes would cost more than the tunnel does.
  const block = randomBytes(2 * BLOCK);
  const until = performance.now() + seconds * 1000;
  let bytes = 0;
  let turns = 0;
  return new Promise((resolve) => {
    const more = (): void => {
      while (performance.now() < until && !socket.destroyed) {
        const offset = (turns++ * 4099) % BLOCK;
        const chunk = block.subarray(offset, offset + BLOCK);
        hash.update(chunk);
        bytes += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', more);
          return;
        }
      }
      const sum = { bytes, hash: hash.digest('hex') };
      socket.end(() => resolve(sum));
    };
    more();
  });
}

function receiveAll(socket: Socket, first: Uint8Array): Promise<Sum> {
  const hash = createHash('sha256').update(first);
  let bytes = first.length;
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    socket.once('end', () => resolve({ bytes, hash: hash.digest('hex') }));
  });
}

function open(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true }, () => resolve(socket));
    socket.setTimeout(PATIENCE, () => socket.destroy(new Error('the connection fell silent')));
    socket.once('error', reject);
  });
}

async function readText(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function send(address: string, port: number, seconds: number): Promise<Transfer> {
  const socket = await open(address, port);
  const started = performance.now();
  socket.write('S');
  const answer = readText(socket);
  const sent = await sendFor(socket, seconds);
  const received = JSON.parse(await answer) as Sum;
  return {
    bytes: received.bytes,
    seconds: (performance.now() - started) / 1000,
    sentHash: sent.hash,
    receivedHash: received.hash,
  };
}

async function receive(address: string, port: number, seconds: number): Promise<Transfer> {
  const socket = await open(address, port);
  const started = performance.now();
  socket.write(Uint8Array.of('R'.charCodeAt(0), seconds));
  const received = await receiveAll(socket, new Uint8Array(0));
  const took = (performance.now() - started) / 1000;
  socket.end();
  const asking = await open(address, port);
  asking.write('H');
  const sent = JSON.parse(await readText(asking)) as Sum;
  asking.end();
  return { bytes: received.bytes, seconds: took, sentHash: sent.hash, receivedHash: received.hash };
}

async function trips(address: string, port: number, count: number): Promise<readonly number[]> {
  const socket = await open(address, port);
  socket.write('P');
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    socket.write(randomBytes(TRIP_BYTES));
    for (let got = 0; got < TRIP_BYTES; ) {
      got += await new Promise<number>((resolve, reject) => {
        socket.once('data', (chunk) => resolve(chunk.length));
        socket.once('close', () => reject(new Error('the connection closed')));
      });
    }
    times.push(performance.now() - started);
  }
  socket.destroy();
  return times;
}

function fetchPage(url: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('timeout', () => request.destroy(new Error(`${url} did not answer within 10 s`)));
    request.on('error', reject);
  });
}

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main([what = '', target = '', port = '', amount = '']: readonly string[]): Promise<void> {
  switch (what) {
    case 'serve':
      serve(target, Number(port));
      return;
    case 'fetch':
      print(await fetchPage(target));
      return;
    case 'send':
      print(await send(target, Number(port), Number(amount)));
      return;
    case 'receive':
      print(await receive(target, Number(port), Number(amount)));
      return;
    case 'trips':
      print({ trips: await trips(target, Number(port), Number(amount)) });
      return;
    default:
      throw new Error(`traffic: there is no "${what}"`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});
