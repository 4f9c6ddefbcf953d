// What this kernel lacks is worth a line each in the log, once for a data plane: it costs throughput, never packets. What it offers and
// then refuses, whoever is refused says: datagrams.ts (EIO) and receiver.ts (GSO_UDP_L4).
import { IPPROTO_UDP, UDP_GRO, UDP_SEGMENT } from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';
import type { PathEvent, SocketHandle, TunHandle } from './command.ts';

export interface Lacks {
  tun(tun: TunHandle): void;
  socket(socket: SocketHandle): void;
}

export function noteLacks(calls: Pick<Libc, 'getsockopt'>, onEvent: (event: PathEvent) => void): Lacks {
  const noted = new Set<string>();
  const note = (text: string): void => {
    if (noted.has(text)) return;
    noted.add(text);
    onEvent({ kind: 'note', text });
  };
  return {
    tun: (tun) => {
      if (!tun.vnetHeader)
        note('The TUN has no virtio header: TCP comes and goes packet by packet, not in super-packets');
      else if (!tun.uso)
        note('The TUN has no UDP segmentation offload (Linux 6.2): UDP comes and goes datagram by datagram');
    },
    socket: (socket) => {
      if (socket.kind !== 'natt') return;
      if (calls.getsockopt(socket.fd, IPPROTO_UDP, UDP_GRO) !== 1)
        note('UDP receive offload (UDP_GRO, Linux 5.0) is not on: datagrams are received one by one');
      if (calls.getsockopt(socket.fd, IPPROTO_UDP, UDP_SEGMENT) < 0)
        note('This kernel has no UDP_SEGMENT (Linux 4.18): datagrams are sent one by one');
    },
  };
}
