// From where each tunnel's authenticated packets come. When one comes from elsewhere, a NAT has changed its mind or the peer has moved
// (RFC 7296 §2.23): the control thread is told, once for each change.
import { TUNNELS } from '../../assembly/layout.ts';
import { AF_INET6 } from '../native/constants.ts';
import { decodeSockaddr, encodeSockaddr, SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';
import { RECEIVE_NAMES } from './layout.ts';
import type { PeerNotice } from './messages.ts';
import type { PathParts } from './parts.ts';

/** A sockaddr as the kernel writes it (eight words), and the socket. */
interface Origin {
  readonly words: Uint32Array;
  fd: number;
}

export class Origins {
  readonly #parts: Pick<PathParts, 'memory' | 'emit'>;
  readonly #origins: (Origin | undefined)[] = new Array(TUNNELS).fill(undefined);

  constructor(parts: Pick<PathParts, 'memory' | 'emit'>) {
    this.#parts = parts;
  }

  /** Where the control thread sends to is where packets should come from. */
  set(tunnel: number, { remote, socket, encapsulation }: PeerNotice['peer']): void {
    const slot = new Uint8Array(SOCKADDR_SLOT_BYTES);
    encodeSockaddr(remote.address, encapsulation === 'raw' ? 0 : remote.port, slot);
    this.#origins[tunnel] = { words: new Uint32Array(slot.buffer), fd: socket };
  }

  remove(tunnel: number): void {
    this.#origins[tunnel] = undefined;
  }

  /**
   * An authenticated packet of `tunnel` came in receive message `message` of `socket`, which is a `stream` or not. Has it come from
   * elsewhere than before? The family and port decide, then the address; not the rest of the sockaddr.
   */
  check(message: number, tunnel: number, socket: number, stream: boolean): void {
    const { memory, emit } = this.#parts;
    const name = RECEIVE_NAMES + message * SOCKADDR_SLOT_BYTES;
    const at = name >>> 2;
    const { words } = memory;
    const origin = this.#origins[tunnel];
    if (!origin) return;
    const known = origin.words;
    const six = (known[0]! & 0xffff) === AF_INET6;
    // Raw and UDP-encapsulated ESP may alternate (RFC 7296 §2.23): then only the address can be compared.
    const mask = origin.fd === socket ? 0xffff_ffff : 0xffff;
    let same = ((words[at]! ^ known[0]!) & mask) === 0;
    if (six)
      same =
        same &&
        words[at + 2] === known[2] &&
        words[at + 3] === known[3] &&
        words[at + 4] === known[4] &&
        words[at + 5] === known[5];
    else same = same && words[at + 1] === known[1];
    // A stream belongs to one connection: another one is another way to the peer, wherever it comes from (RFC 9329 §6.1).
    if (origin.fd !== socket && stream) same = false;
    if (same) return;
    known.set(words.subarray(at, at + SOCKADDR_SLOT_BYTES / 4));
    origin.fd = socket;
    const from = decodeSockaddr(memory.bytes, name);
    if (from) emit({ kind: 'peerMoved', tunnel, from, socket });
  }
}
