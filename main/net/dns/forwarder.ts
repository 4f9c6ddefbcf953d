// Split DNS where the system's resolver knows one list of servers only: a forwarder on a loopback address of its own that sends
// each query, as it is, to the tunnel's servers or to those of before, by its name (RFC 8598 §5).
//
//   resolver ──query──▶ 127.71.86.1:53 ──name under a domain of the tunnel──▶ the tunnel's servers
//                                      └─any other name──────────────────────▶ the servers of before
//
// A name of the tunnel is never sent to the other servers, not even where the tunnel's do not answer. Each query leaves from a
// socket and so a port of its own, connected to the server asked; an answer counts only with the query's ID and question
// (RFC 5452 §9). Queries over TCP go over TCP.
import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import { type Address, formatAddress } from '../../wire/address.ts';
import { isUnder } from '../../wire/domain.ts';
import { isWireError } from '../../wire/error.ts';
import { NetError } from '../error.ts';
import { failureOf, type Question, readQuestion } from './question.ts';

export interface Forwarding {
  readonly domains: readonly string[];
  /** Servers for names under `domains`, and for the rest, in order of preference: addresses as text, with a zone where they have one. */
  readonly inside: readonly string[];
  readonly outside: readonly string[];
}

export interface Forwarder {
  readonly address: Address;
  update(forwarding: Forwarding): void;
  close(): Promise<void>;
}

export interface ForwarderOptions {
  readonly port?: number;
  /** Port of the servers. */
  readonly serverPort?: number;
  /** Milliseconds that one server has. */
  readonly patience?: number;
}

const MOST_AT_ONCE = 512;
const MOST_CONNECTIONS = 64;
const TCP_IDLE = 15_000;
/** 127.71.86.1 and up: "GV" on the loopback network, where nobody else listens. */
const FIRST = Uint8Array.of(127, 71, 86, 1);

/** Listens on the first loopback address of ours that is free. */
export async function startForwarder(
  forwarding: Forwarding,
  options: ForwarderOptions = {},
): Promise<Forwarder | NetError> {
  let failed: unknown;
  for (let i = 0; i < 8; i++) {
    const address = Uint8Array.from(FIRST);
    address[3] = FIRST[3]! + i;
    try {
      return await listen(address, forwarding, options);
    } catch (error) {
      failed = error;
    }
  }
  const { code, message } = failed as NodeJS.ErrnoException;
  return new NetError({
    code: code === 'EACCES' || code === 'EPERM' ? 'no-permission' : 'address-in-use',
    message: `The forwarder for split DNS cannot listen on port 53 of ${formatAddress(FIRST)} to 127.71.86.8 (${code ?? message}).`,
    operation: 'bind',
    ...(code ? { errno: code } : {}),
    remedy:
      code === 'EACCES' || code === 'EPERM'
        ? 'Run the engine as root, or use systemd-resolved, which needs no forwarder.'
        : 'Another name server on this computer takes every address ("ss -lnup sport = :53" names it): let it listen on its own address only, or use systemd-resolved.',
  });
}

async function listen(address: Address, first: Forwarding, options: ForwarderOptions): Promise<Forwarder> {
  const { port = 53, serverPort = 53, patience = 2_000 } = options;
  let forwarding = first;
  let open = true;
  const asking = new Set<Socket>();
  const connections = new Set<TcpSocket>();

  const serversFor = ({ name }: Question): readonly string[] =>
    forwarding.domains.some((domain) => isUnder(name, domain)) ? forwarding.inside : forwarding.outside;

  const udp = createSocket('udp4');
  const tcp: Server = createServer();
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, formatAddress(address), resolve);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen(udp.address().port, formatAddress(address), resolve);
    });
  } catch (error) {
    udp.close();
    throw error;
  }
  udp.removeAllListeners('error');
  tcp.removeAllListeners('error');
  // A client that is gone before its answer comes (ECONNREFUSED) is its own affair.
  udp.on('error', () => {});
  tcp.on('error', () => {});

  udp.on('message', (query, client) => {
    const question = readQuestion(query);
    if (isWireError(question) || question.response || asking.size >= MOST_AT_ONCE) return;
    ask(query, question, serversFor(question), (answer) => {
      if (open) udp.send(answer, client.port, client.address);
    });
  });

  /** Tries one server after another; `done` gets the first answer, or SERVFAIL. */
  function ask(
    query: Uint8Array,
    question: Question,
    servers: readonly string[],
    done: (answer: Uint8Array) => void,
  ): void {
    const [server, ...others] = servers;
    if (!server) {
      done(failureOf(query));
      return;
    }
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
    asking.add(socket);
    const over = (answer?: Uint8Array): void => {
      if (!asking.delete(socket)) return;
      clearTimeout(timer);
      socket.close();
      if (answer) done(answer);
      else if (open) ask(query, question, others, done);
    };
    const timer = setTimeout(over, patience);
    socket.on('error', () => over());
    socket.on('message', (answer) => {
      const answered = readQuestion(answer);
      if (isWireError(answered) || !answered.response) return;
      if (answered.id === question.id && answered.key === question.key) over(answer);
    });
    socket.connect(serverPort, server, () => {
      if (asking.has(socket)) socket.send(query);
    });
  }

  tcp.on('connection', (client) => {
    if (connections.size >= MOST_CONNECTIONS) {
      client.destroy();
      return;
    }
    watch(client);
    let waiting: Uint8Array = new Uint8Array(0);
    client.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk]);
      for (let query = firstOf(waiting); query; query = firstOf(waiting)) {
        waiting = waiting.subarray(query.length + 2);
        const question = readQuestion(query);
        if (isWireError(question) || question.response) {
          client.destroy();
          return;
        }
        askStream(query, serversFor(question), client);
      }
    });
  });

  function askStream(query: Uint8Array, servers: readonly string[], client: TcpSocket): void {
    const [server, ...others] = servers;
    const reply = (answer: Uint8Array): void => {
      if (!client.destroyed) client.write(framed(answer));
    };
    if (!server || connections.size >= MOST_CONNECTIONS) {
      reply(failureOf(query));
      return;
    }
    const upstream = connect({ host: server, port: serverPort });
    watch(upstream);
    upstream.setTimeout(patience);
    let received: Uint8Array = new Uint8Array(0);
    let answered = false;
    upstream.on('connect', () => upstream.write(framed(query)));
    upstream.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = firstOf(received);
      if (!answer || answered) return;
      answered = true;
      upstream.destroy();
      reply(answer);
    });
    upstream.on('close', () => {
      if (!answered && open) askStream(query, others, client);
    });
  }

  function watch(socket: TcpSocket): void {
    connections.add(socket);
    socket.setTimeout(TCP_IDLE);
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
  }

  return {
    address,
    update(next) {
      forwarding = next;
    },
    async close() {
      if (!open) return;
      open = false;
      for (const socket of [...asking]) {
        asking.delete(socket);
        socket.close();
      }
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

/** A message behind its length (RFC 1035 §4.2.2), once it is whole. */
function firstOf(stream: Uint8Array): Uint8Array | undefined {
  if (stream.length < 2) return undefined;
  const length = stream[0]! * 256 + stream[1]!;
  return stream.length >= 2 + length ? stream.slice(2, 2 + length) : undefined;
}

function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]);
}
