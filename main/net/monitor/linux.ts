// The network monitor on Linux: a netlink socket of the route family that joins the kernel's groups (rtnetlink(7)).
//
//   struct nlmsghdr ┌──────────────────┐
//                 0 │ length     u32   │ of the message with this header, padded to 4
//                 4 │ type       u16   │ RTM_*
//                 6 │ flags      u16   │
//                 8 │ sequence   u32   │
//                12 │ port       u32   │
//                   └──────────────────┘ all in host order
//
// What a message says is not read: only what it is about. Lost messages do no harm, since one is as good as another.
import {
  AF_NETLINK,
  NETLINK_NO_ENOBUFS,
  NETLINK_ROUTE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_NETLINK,
} from '../../native/constants.ts';
import { errnoName, libc, watch } from '../../native/libc.ts';
import { NetError } from '../error.ts';
import type { NetworkChange, NetworkMonitor } from './api.ts';

/** linux/rtnetlink.h: RTMGRP_LINK, and addresses, routes and rules of both families (group 19 is IPv6's rules). */
const GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | (1 << 18);
const HEADER_BYTES = 16;

const CHANGES: ReadonlyMap<number, NetworkChange> = new Map([
  [16, 'link'],
  [17, 'link'],
  [20, 'address'],
  [21, 'address'],
  [24, 'route'],
  [25, 'route'],
  [32, 'rule'],
  [33, 'rule'],
]);

/** What the messages in `bytes` are about, each kind once, in order. Stops at what is no message. */
export function changesIn(bytes: Uint8Array): readonly NetworkChange[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Set<NetworkChange>();
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    const change = CHANGES.get(view.getUint16(at + 4, true));
    if (change) found.add(change);
    at += (length + 3) & ~3;
  }
  return [...found];
}

export const linuxMonitor: NetworkMonitor = {
  watch(listener) {
    const calls = libc();
    const fd = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return failed(calls.errno(), 'socket');
    // A full buffer would be an error of the socket, after which libuv polls it no more.
    calls.setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
    // struct sockaddr_nl: family, padding, port (the kernel's choice), groups.
    const address = new Uint8Array(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, GROUPS, true);
    if (calls.bind(fd, address) < 0) {
      const error = failed(calls.errno(), 'bind');
      calls.close(fd);
      return error;
    }
    const buffer = new Uint8Array(65_536);
    let open = true;
    const watching = watch(fd, () => {
      const changes = new Set<NetworkChange>();
      for (let length = calls.readBytes(fd, buffer); length > 0; length = calls.readBytes(fd, buffer))
        for (const change of changesIn(buffer.subarray(0, length))) changes.add(change);
      for (const change of changes) if (open) listener(change);
    });
    return {
      close() {
        if (!open) return;
        open = false;
        watching.close();
        calls.close(fd);
      },
    };
  },
};

function failed(errno: number, operation: string): NetError {
  const name = errnoName(errno);
  return new NetError({
    code: 'unsupported',
    message: `The system does not tell of changes of its network (${operation}: ${name}).`,
    operation: `${operation} AF_NETLINK`,
    errno: name,
    remedy: 'A change of network is noticed later, when the gateway no longer answers; nothing needs to be done.',
  });
}
