// The TCP connections that clients have opened (RFC 9329): which belongs to which endpoint, and when one may be closed. A connection
// whose stream has ended stays open here as long as a tunnel still sends into it: its descriptor's number must not be given to
// another socket before the client is back on a new connection, or gone.
import { NetError } from '../net/error.ts';
import type { StreamListener, StreamSocket } from '../net/socket/api.ts';
import type { DataPlane } from '../path/command.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';

const NON_ESP_MARKER = new Uint8Array(4);
/** More connections than these are closed at once. */
const MOST = 64;

interface Connection {
  readonly socket: StreamSocket;
  ended: boolean;
}

export class Streams {
  readonly #plane: DataPlane;
  readonly #complain: (text: string) => void;
  readonly #byEndpoint = new Map<string, Connection>();
  #listener: StreamListener | undefined;

  constructor(plane: DataPlane, complain: (text: string) => void) {
    this.#plane = plane;
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
    if (this.#byEndpoint.size >= MOST) {
      socket.close();
      return;
    }
    this.#byEndpoint.set(formatEndpoint(socket.stream.remote), { socket, ended: false });
    this.#plane.receive({ kind: 'addSocket', socket }).catch((error: unknown) => this.#complain(String(error)));
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
    for (const [endpoint, { socket, ended }] of this.#byEndpoint) {
      if (!ended || inUse.has(endpoint)) continue;
      this.#byEndpoint.delete(endpoint);
      await this.#plane.receive({ kind: 'removeSocket', fd: socket.fd });
      await this.#plane.send({ kind: 'forgetStream', socket: socket.fd });
      socket.close();
    }
  }

  /** The data plane is closed by now. */
  close(): void {
    this.#listener?.close();
    for (const { socket } of this.#byEndpoint.values()) socket.close();
    this.#byEndpoint.clear();
  }
}

/** Throws the NetError where the port cannot be listened on. */
export function listening(listener: StreamListener | NetError): StreamListener {
  if (listener instanceof NetError) throw listener;
  return listener;
}
