// Whether a gateway answers on its IKE ports, asked from a socket of its own while no tunnel is up: with the same question that
// the path test sends (ike/probe.ts), which every responder answers and forgets.
import { createSocket } from 'node:dgram';
import type { RandomBytes } from '../crypto/random.ts';
import { LEAST_PROBE_BYTES, pathProbe } from '../ike/probe.ts';
import { type Address, formatAddress } from '../wire/address.ts';

export interface PortAnswer {
  readonly port: number;
  readonly answered: boolean;
  /** "ECONNREFUSED", …; null: silence. */
  readonly error: string | null;
}

const MARKER = 4;
const PATIENCE = 2_000;
const TRIES = 2;

/** `marker`: the port is the one for NAT traversal (RFC 3948 §2.2). Never rejects. */
export function asksPort(address: Address, port: number, marker: boolean, random: RandomBytes): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const probe = pathProbe(LEAST_PROBE_BYTES, random);
    const datagram = Buffer.concat([Buffer.alloc(marker ? MARKER : 0), probe.bytes]);
    const socket = createSocket(address.length === 4 ? 'udp4' : 'udp6');
    const timers: NodeJS.Timeout[] = [];
    let over = false;
    const end = (answered: boolean, error: string | null): void => {
      if (over) return;
      over = true;
      for (const timer of timers) clearTimeout(timer);
      socket.close();
      resolve({ port, answered, error });
    };
    socket.on('error', (error: NodeJS.ErrnoException) => end(false, error.code ?? error.message));
    socket.on('message', (bytes) => {
      if (probe.answeredBy(bytes.subarray(marker ? MARKER : 0))) end(true, null);
    });
    // Connected, so that the kernel reports what the network says of it.
    socket.connect(port, formatAddress(address), () => {
      for (let i = 0; i < TRIES; i++)
        timers.push(setTimeout(() => over || socket.send(datagram), (i * PATIENCE) / TRIES));
      timers.push(setTimeout(() => end(false, null), PATIENCE));
    });
  });
}
