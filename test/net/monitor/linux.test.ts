// What rtnetlink messages are about, and the real socket: it opens without privilege and closes.
import { describe, expect, it } from 'vitest';
import { NetError } from '../../../main/net/error.ts';
import { changesIn, linuxMonitor } from '../../../main/net/monitor/linux.ts';

/** One with this type and so many bytes of whatever, padded. */
function message(type: number, body: number): Uint8Array {
  const length = 16 + body;
  const bytes = new Uint8Array((length + 3) & ~3).fill(0xee);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, 0, true);
  return bytes;
}
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

// What a Linux kernel sent for `ip address add 127.0.0.9/8 dev lo` in an empty network namespace: RTM_NEWADDR, RTM_NEWROUTE.
const NEWADDR = Buffer.from(
  '4c0000001400000040be016be52f0000020880fe01000000080001007f000009080002007f000009070003006c6f0000' +
    '08000800800000001400' +
    '0600ffffffffffffffffd06a1500d06a1500',
  'hex',
);
const NEWROUTE = Buffer.from(
  '3c00000018000006000000000000000002200000ff02fe020000000008000f00ff00000008000100' +
    '7f000009080007007f0000090800040001000000',
  'hex',
);

describe('rtnetlink messages', () => {
  it('tell what they are about', () => {
    expect([NEWADDR.length, NEWROUTE.length]).toEqual([76, 60]);
    expect(changesIn(NEWADDR)).toEqual(['address']);
    expect(changesIn(NEWROUTE)).toEqual(['route']);
    expect(changesIn(join(NEWADDR, NEWROUTE))).toEqual(['address', 'route']);
    expect(changesIn(join(message(16, 16), message(24, 12), message(25, 13), message(32, 12)))).toEqual([
      'link',
      'route',
      'rule',
    ]);
    expect(changesIn(join(message(17, 0), message(21, 8), message(33, 1)))).toEqual(['link', 'address', 'rule']);
  });

  it('say nothing where they are of another kind', () => {
    // NLMSG_NOOP, NLMSG_DONE, RTM_NEWNEIGH.
    expect(changesIn(join(message(1, 0), message(3, 4), message(28, 12)))).toEqual([]);
  });

  it('are read as far as they are whole, at every length', () => {
    const two = join(message(16, 5), NEWADDR);
    const first = message(16, 5).length;
    for (let length = 0; length <= two.length; length++) {
      const found = changesIn(two.subarray(0, length));
      // The padding of the last message may be missing.
      const expected = length < 21 ? [] : length < first + NEWADDR.length ? ['link'] : ['link', 'address'];
      expect(found, `${length} bytes`).toEqual(expected);
    }
    const endless = message(16, 0);
    endless.fill(0, 0, 4);
    expect(changesIn(endless)).toEqual([]);
  });
});

it('watches without privilege, and can be closed twice', () => {
  const watch = linuxMonitor.watch(() => {});
  if (watch instanceof NetError) throw watch;
  watch.close();
  watch.close();
});
