// What a person is told where no TUN can be made, as far as it shows without privilege; the rest is in test/live.
import { expect, it } from 'vitest';
import { recordingRunner } from '../../../main/net/runner.fake.ts';
import { linuxTunAdapter } from '../../../main/net/tun/linux.ts';

it.each(['', 'a-name-of-16-byte', 'with space', 'a/b', 'ünterfäße-lang'])(
  'refuses the interface name "%s"',
  async (name) => {
    const runner = recordingRunner();
    const result = await linuxTunAdapter({ runner }).open({ name, mtu: 1400, addresses: [] });
    expect(result).toMatchObject({ code: 'unsupported' });
    expect(runner.transcript).toEqual([]);
  },
);
