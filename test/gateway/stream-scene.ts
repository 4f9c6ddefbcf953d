// The gateway's TCP connections over sockets and a data plane that only note what is done with them, by a clock turned by hand.
import { Streams } from '../../main/gateway/streams.ts';
import type { StreamSocket } from '../../main/net/socket/api.ts';
import type { DataPlane } from '../../main/path/command.ts';
import type { Endpoint } from '../../main/wire/address.ts';
import { VirtualClock } from './virtual-clock.ts';

export function streamScene() {
  const clock = new VirtualClock();
  const removed: number[] = [];
  /** What is let go of, in order. */
  const released: string[] = [];
  const unused = () => {
    throw new Error('not of these tests');
  };
  const plane: DataPlane = {
    send: async (command) => {
      if (command.kind === 'forgetStream') released.push(`sender ${command.socket}`);
    },
    receive: async (command) => {
      if (command.kind !== 'removeSocket') return;
      removed.push(command.fd);
      released.push(`receiver ${command.fd}`);
    },
    configure: unused,
    attachTun: unused,
    statistics: unused,
    close: unused,
  };
  const streams = new Streams(plane, clock, () => {});
  const closed: number[] = [];
  let fd = 0;
  const connect = (last: number, port = 40_001 + fd): { readonly fd: number; readonly remote: Endpoint } => {
    const number = ++fd;
    const remote: Endpoint = { address: Uint8Array.of(192, 0, 2, last), port };
    const socket: StreamSocket = {
      fd: number,
      kind: 'tcp',
      local: { address: Uint8Array.of(192, 0, 2, 1), port: 4500 },
      stream: { remote, expectsPrefix: true },
      close: () => {
        closed.push(number);
        released.push(`socket ${number}`);
      },
    };
    streams.accept(socket);
    return { fd: number, remote };
  };
  return { streams, plane, clock, connect, closed, removed, released };
}
