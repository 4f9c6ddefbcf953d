// The TCP connections that clients have opened (RFC 9329): which belongs to which endpoint, and when one may be closed. A connection
// whose stream has ended stays open here as long as a tunnel still sends into it: its descriptor's number must not be given to
// another socket before the client is back on a new connection, or gone.
//
// Anybody may open one. Until a client has authenticated over it, a connection has ten seconds (more while a person is asked for a
// password), each address has a few, and where there is no room the oldest of them makes it: strangers keep nobody out.
import { NetError } from '../net/error.ts';
import type { StreamListener, StreamSocket } from '../net/socket/api.ts';
import type { DataPlane } from '../path/command.ts';
import { type Endpoint, formatAddress, formatEndpoint } from '../wire/address.ts';
import type { Clock, Timer } from './clock.ts';

const NON_ESP_MARKER = new Uint8Array(4);
const MOST = 64;
/** Of one address, as long as nobody has authenticated over them; behind a NAT there may be many clients. */
const MOST_STRANGERS = 8;
const STRANGER_MS = 10_000;
/** While an IKE SA waits for answers, which somebody may have to type: as long as the IKE SA itself waits, and some more. */
const ASKED_MS = 130_000;

interface Connection {
  readonly socket: StreamSocket;
  /** Runs until a client has authenticated over it. */
  timer: Timer | undefined;
  ended: boolean;
}

/** One whose client came back from the same port while a tunnel still sent into it. */
interface Replaced {
  readonly connection: Connection;
  readonly endpoint: string;
  /** The client has proved itself on the new one: once its tunnels have moved there, nobody sends into this one. */
  left: boolean;
}

export class Streams {
  readonly #plane: DataPlane;
  readonly #clock: Clock;
  readonly #complain: (text: string) => void;
  readonly #byEndpoint = new Map<string, Connection>();
  #replaced: Replaced[] = [];
  #listener: StreamListener | undefined;

  constructor(plane: DataPlane, clock: Clock, complain: (text: string) => void) {
    this.#plane = plane;
    this.#clock = clock;
    this.#complain = complain;
  }

  listenTo(listener: StreamListener): void {
    this.#listener = listener;
  }

  /** Where connections are taken; null: nowhere. */
  get local(): Endpoint | null {
    return this.#listener?.local ?? null;
  }

  accept(socket: StreamSocket): void {
    const { remote } = socket.stream;
    const strangers = [...this.#byEndpoint.values()].filter(({ timer }) => timer);
    const neighbours = strangers.filter((one) => addressOf(one.socket) === addressOf(socket));
    // In the order in which they came.
    const oldest = neighbours.length >= MOST_STRANGERS ? neighbours[0] : strangers[0];
    if (neighbours.length >= MOST_STRANGERS || this.#byEndpoint.size >= MOST) {
      if (!oldest) {
        socket.close();
        return;
      }
      this.#drop(oldest, 'there are too many connections over which nobody has authenticated');
    }
    const connection: Connection = { socket, timer: undefined, ended: false };
    const endpoint = formatEndpoint(remote);
    const before = this.#byEndpoint.get(endpoint);
    before?.timer?.cancel();
    if (before) this.#replaced.push({ connection: before, endpoint, left: false });
    // Anew, so that it is the youngest.
    this.#byEndpoint.delete(endpoint);
    this.#byEndpoint.set(endpoint, connection);
    this.#wait(connection, STRANGER_MS);
    this.#plane.receive({ kind: 'addSocket', socket }).catch((error: unknown) => this.#complain(String(error)));
  }

  #wait(connection: Connection, milliseconds: number): void {
    connection.timer?.cancel();
    connection.timer = this.#clock.setTimer(this.#clock.now() + milliseconds, () =>
      this.#drop(connection, 'nobody has authenticated over it'),
    );
  }

  #drop(connection: Connection, why: string): void {
    const endpoint = formatEndpoint(connection.socket.stream.remote);
    this.#complain(`closing the TCP connection from ${endpoint}: ${why}`);
    if (this.#byEndpoint.get(endpoint) === connection) this.#byEndpoint.delete(endpoint);
    this.#release(connection).catch((error: unknown) => this.#complain(String(error)));
  }

  async #release({ socket, timer }: Connection): Promise<void> {
    timer?.cancel();
    await this.#plane.receive({ kind: 'removeSocket', fd: socket.fd });
    await this.#plane.send({ kind: 'forgetStream', socket: socket.fd });
    socket.close();
  }

  /** An IKE SA over this connection waits for an answer to be made. */
  asked(endpoint: Endpoint): void {
    const connection = this.#byEndpoint.get(formatEndpoint(endpoint));
    if (connection?.timer) this.#wait(connection, ASKED_MS);
  }

  /** A client has authenticated over this connection, or come back on it: it stays. */
  proved(endpoint: Endpoint): void {
    const text = formatEndpoint(endpoint);
    const connection = this.#byEndpoint.get(text);
    connection?.timer?.cancel();
    if (connection) connection.timer = undefined;
    for (const one of this.#replaced) if (one.endpoint === text) one.left = true;
  }

  /** The connection behind a descriptor. */
  byDescriptor(fd: number): StreamSocket | undefined {
    for (const { socket } of this.#byEndpoint.values()) if (socket.fd === fd) return socket;
    return undefined;
  }

  at(endpoint: Endpoint): StreamSocket | undefined {
    return this.#byEndpoint.get(formatEndpoint(endpoint))?.socket;
  }

  /** An IKE message to a client; lost where its connection is, IKE repeats it. */
  send(bytes: Uint8Array, to: Endpoint): void {
    const socket = this.at(to);
    if (!socket) return;
    const marked = Buffer.concat([NON_ESP_MARKER, bytes]);
    this.#plane
      .send({ kind: 'sendMessage', socket: socket.fd, bytes: marked })
      .catch((error: unknown) => this.#complain(String(error)));
  }

  /** The data plane says that the stream has ended. */
  async ended(fd: number, inUse: ReadonlySet<string>): Promise<void> {
    for (const connection of this.#byEndpoint.values()) if (connection.socket.fd === fd) connection.ended = true;
    await this.collect(inUse);
  }

  /** Closes what has ended and no tunnel sends into any more; `inUse` are the clients' endpoints, as text. */
  async collect(inUse: ReadonlySet<string>): Promise<void> {
    for (const [endpoint, connection] of this.#byEndpoint) {
      if (!connection.ended || inUse.has(endpoint)) continue;
      this.#byEndpoint.delete(endpoint);
      await this.#release(connection);
    }
    const free = this.#replaced.filter(({ endpoint, left }) => left || !inUse.has(endpoint));
    this.#replaced = this.#replaced.filter((one) => !free.includes(one));
    for (const { connection } of free) await this.#release(connection);
  }

  /** The data plane is closed by now. */
  close(): void {
    this.#listener?.close();
    for (const { socket, timer } of [...this.#byEndpoint.values(), ...this.#replaced.map((one) => one.connection)]) {
      timer?.cancel();
      socket.close();
    }
    this.#byEndpoint.clear();
    this.#replaced = [];
  }
}

const addressOf = (socket: StreamSocket): string => formatAddress(socket.stream.remote.address);

/** Throws the NetError where the port cannot be listened on. */
export function listening(listener: StreamListener | NetError): StreamListener {
  if (listener instanceof NetError) throw listener;
  return listener;
}
