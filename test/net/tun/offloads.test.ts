// What a kernel refuses is not claimed: the packet core trusts what the TUN says of itself. With a double of the C library.
import { afterEach, expect, it, vi } from 'vitest';
import { IFF_VNET_HDR, IFREQ_FLAGS, TUN_F_USO4, TUN_F_USO6, TUNSETVNETHDRSZ } from '../../../main/native/constants.ts';
import { type Libc, libc } from '../../../main/native/libc.ts';
import { recordingRunner } from '../../../main/net/runner.fake.ts';
import { linuxTunAdapter } from '../../../main/net/tun/linux.ts';

vi.mock(import('../../../main/native/libc.ts'), async (original) => {
  const actual = await original();
  return { ...actual, libc: vi.fn(actual.libc) };
});
afterEach(() => {
  vi.mocked(libc).mockReset();
});

interface Kernel {
  /** Knows the offloads in this word. */
  readonly takes: (offloads: number) => boolean;
  readonly headers?: boolean;
  /** What TUNSETIFF refuses: every interface, or one with a header; undefined: nothing. */
  readonly refuses?: 'all' | 'header';
}

/** The interface as such a kernel makes it, and its descriptors that are still open in the end. */
async function made(kernel: Kernel, options: { readonly offloads?: boolean; readonly uso?: boolean } = {}) {
  const open = new Set<number>();
  let next = 100;
  const calls: Pick<Libc, 'open' | 'close' | 'ioctl' | 'ioctlValue' | 'ifNameToIndex' | 'errno'> = {
    open: () => {
      open.add(++next);
      return next;
    },
    close: (fd) => (open.delete(fd) ? 0 : -1),
    ioctl: (_fd, request, value) => {
      if (request === TUNSETVNETHDRSZ) return kernel.headers === false ? -1 : 0;
      const flags = Buffer.from(value).readUInt16LE(IFREQ_FLAGS);
      return kernel.refuses === 'all' || (kernel.refuses && (flags & IFF_VNET_HDR) !== 0) ? -1 : 0;
    },
    ioctlValue: (_fd, _request, offloads) => (kernel.takes(offloads) ? 0 : -1),
    ifNameToIndex: () => 7,
    errno: () => 22,
  };
  vi.mocked(libc).mockReturnValue(calls as Libc);
  const runner = recordingRunner((line) => (line.includes('address show') ? '[{"mtu":1400,"flags":["UP"]}]' : ''));
  const tun = await linuxTunAdapter({ runner, ...options }).open({ name: 'culvert0', mtu: 1400, addresses: [] });
  if (tun instanceof Error) {
    expect([...open]).toEqual([]);
    return tun.code;
  }
  const { vnetHeader, uso, fd } = tun;
  expect([...open]).toEqual([fd]);
  return { vnetHeader, uso };
}

const USO = TUN_F_USO4 | TUN_F_USO6;

it.each<[string, Kernel, Parameters<typeof made>[1], Awaited<ReturnType<typeof made>>]>([
  ['Linux 6.2: all of them', { takes: () => true }, {}, { vnetHeader: true, uso: true }],
  ['before: TCP alone', { takes: (word) => (word & USO) === 0 }, {}, { vnetHeader: true, uso: false }],
  ['where it is not wanted', { takes: () => true }, { uso: false }, { vnetHeader: true, uso: false }],
  ['none at all: no header either', { takes: () => false }, {}, { vnetHeader: false, uso: false }],
  ['no header of that size', { takes: () => true, headers: false }, {}, { vnetHeader: false, uso: false }],
  [
    'something that only looks like Linux, and does not know the header',
    { takes: () => true, refuses: 'header' },
    {},
    { vnetHeader: false, uso: false },
  ],
  ['a name that is taken, with the same error', { takes: () => true, refuses: 'all' }, {}, 'name-taken'],
  ['without offloads', { takes: () => true }, { offloads: false }, { vnetHeader: false, uso: false }],
])('%s', async (_, kernel, options, expected) => {
  expect(await made(kernel, options)).toEqual(expected);
});
