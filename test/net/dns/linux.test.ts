import { describe, expect, test, vi } from 'vitest';
import type { DesiredDns } from '../../../main/net/dns/api.ts';
import type { Forwarder, Forwarding } from '../../../main/net/dns/forwarder.ts';
import { linuxDnsSettings, type ResolverFile } from '../../../main/net/dns/linux.ts';
import { NetError } from '../../../main/net/error.ts';
import { recordingRunner } from '../../../main/net/runner.fake.ts';
import { parseAddress } from '../../../main/wire/address.ts';

const address = (text: string): Uint8Array => parseAddress(text) ?? new Uint8Array(4);
const PLAIN = 'nameserver 192.168.1.1\n';
const STUB = 'nameserver 127.0.0.53\noptions edns0 trust-ad\n';

const desired = (change: Partial<DesiredDns> = {}): DesiredDns => ({
  interfaceName: 'culvert0',
  servers: [address('10.0.0.53')],
  domains: 'all',
  ...change,
});

function world(text: string | undefined, options: { readOnly?: boolean } = {}) {
  const state = { text, changed: undefined as (() => void) | undefined, writes: 0 };
  const file: ResolverFile = {
    read: async () => state.text,
    async write(next) {
      if (options.readOnly) throw Object.assign(new Error('read-only'), { code: 'EROFS' });
      state.writes++;
      state.text = next;
    },
    watch(changed) {
      state.changed = changed;
      return () => {
        state.changed = undefined;
      };
    },
  };
  const forwarders: { forwarding: Forwarding; open: boolean; closedUnder?: string | undefined }[] = [];
  const forward = async (forwarding: Forwarding): Promise<Forwarder> => {
    const one: (typeof forwarders)[number] = { forwarding, open: true };
    forwarders.push(one);
    return {
      address: address('127.71.86.1'),
      update(next) {
        one.forwarding = next;
      },
      async close() {
        one.open = false;
        one.closedUnder = state.text;
      },
    };
  };
  const runner = recordingRunner((line) =>
    line.includes('fails') ? { exitCode: 1, stderr: 'no such link' } : undefined,
  );
  return { state, runner, forwarders, dns: linuxDnsSettings(runner, file, forward) };
}

const servers = (text: string | undefined): string[] =>
  (text ?? '')
    .split('\n')
    .filter((line) => line.startsWith('nameserver '))
    .map((line) => line.slice(11));

describe('with systemd-resolved', () => {
  test('every name goes to the link’s servers, until they are taken back', async () => {
    const { dns, runner, state } = world(STUB);
    expect(await dns.apply(desired())).toEqual({ how: 'by systemd-resolved' });
    await dns.close();
    expect(runner.transcript).toEqual([
      'resolvectl dns culvert0 10.0.0.53',
      'resolvectl domain culvert0 "~."',
      'resolvectl default-route culvert0 yes',
      'resolvectl flush-caches',
      'resolvectl revert culvert0',
      'resolvectl flush-caches',
    ]);
    expect(state.text).toBe(STUB);
  });

  test('only the domains go there where the tunnel is split', async () => {
    const { dns, runner } = world(STUB);
    await dns.apply(desired({ domains: ['corp.example', 'eng.test'] }));
    expect(runner.transcript.slice(1, 3)).toEqual([
      'resolvectl domain culvert0 "~corp.example" "~eng.test"',
      'resolvectl default-route culvert0 no',
    ]);
  });

  test.each(['127.0.0.53', '127.0.0.54'])('is what answers on %s', async (stub) => {
    const { dns } = world(`nameserver ${stub}\n`);
    expect(await dns.apply(desired())).toEqual({ how: 'by systemd-resolved' });
    expect(await dns.outside()).toBeNull();
  });

  test('takes over where it comes while a tunnel is up: forwarder and file are left', async () => {
    const { dns, state, forwarders } = world(PLAIN);
    await dns.apply(desired({ domains: ['corp.example'] }));
    state.text = STUB;
    expect(await dns.apply(desired({ domains: ['corp.example'] }))).toEqual({ how: 'by systemd-resolved' });
    expect(forwarders[0]!.open).toBe(false);
    expect(state.changed).toBeUndefined();
    expect(state.text).toBe(STUB);
  });

  test('a refusal is taken back whole', async () => {
    const { dns, runner } = world(STUB);
    expect(await dns.apply(desired({ interfaceName: 'fails' }))).toBeInstanceOf(NetError);
    expect(runner.transcript.at(-1)).toBe('resolvectl revert fails');
  });
});

describe('with a plain resolv.conf', () => {
  test('every name: the file names the tunnel’s servers, and is as before afterwards', async () => {
    const { dns, state, forwarders } = world(PLAIN);
    expect(await dns.apply(desired())).toEqual({ how: 'in /etc/resolv.conf' });
    expect(servers(state.text)).toEqual(['10.0.0.53']);
    expect(forwarders).toEqual([]);
    await dns.close();
    expect(state.text).toBe(PLAIN);
    expect(state.changed).toBeUndefined();
  });

  test('some names: the file names a forwarder, which knows the servers of before', async () => {
    const { dns, state, forwarders } = world(PLAIN);
    await dns.apply(desired({ domains: ['corp.example'] }));
    expect(servers(state.text)).toEqual(['127.71.86.1']);
    expect(forwarders[0]!.forwarding.outside).toEqual(['192.168.1.1']);
    await dns.close();
    expect(state.text).toBe(PLAIN);
    expect(forwarders[0]!.open).toBe(false);
  });

  test('applying it again changes what differs, and nothing where nothing does', async () => {
    const { dns, state, forwarders } = world(PLAIN);
    await dns.apply(desired({ domains: ['corp.example'] }));
    await dns.apply(desired({ domains: ['corp.example'] }));
    expect(state.writes).toBe(1);
    await dns.apply(desired());
    expect(servers(state.text)).toEqual(['10.0.0.53']);
    expect(forwarders[0]!.open).toBe(false);
    await dns.close();
    expect(state.text).toBe(PLAIN);
  });

  test('other servers and domains reach the forwarder that is there', async () => {
    const { dns, forwarders } = world(PLAIN);
    await dns.apply(desired({ domains: ['corp.example'] }));
    await dns.apply(desired({ domains: ['eng.test'], servers: [address('10.0.0.99')] }));
    expect(forwarders).toHaveLength(1);
    expect(forwarders[0]!.forwarding).toEqual({
      domains: ['eng.test'],
      inside: ['10.0.0.99'],
      outside: ['192.168.1.1'],
    });
    await dns.close();
  });

  test('the forwarder closes once the file no longer names it', async () => {
    const { dns, forwarders } = world(PLAIN);
    await dns.apply(desired({ domains: ['corp.example'] }));
    await dns.close();
    expect(forwarders[0]).toMatchObject({ open: false, closedUnder: PLAIN });
  });

  test('says which servers there are outside, and nothing where it changed none', async () => {
    const { dns } = world(PLAIN);
    expect(await dns.outside()).toBeNull();
    await dns.apply(desired());
    expect(await dns.outside()).toEqual(['192.168.1.1']);
    await dns.close();
    expect(await dns.outside()).toBeNull();
  });

  test('who changes a server in our file does not keep it, and who only touches the file changes nothing', async () => {
    const { dns, state } = world(PLAIN);
    await dns.apply(desired());
    const ours = state.text;
    state.changed?.();
    await dns.cleanUp();
    expect(state.writes).toBe(1);
    state.text = ours!.replace('nameserver 10.0.0.53', 'nameserver 172.16.0.1');
    state.changed?.();
    await dns.cleanUp();
    expect(state.text).toBe(ours);
    await dns.close();
    expect(state.text).toBe(PLAIN);
  });

  test('what others write meanwhile is where the forwarder asks for the rest', async () => {
    const { dns, state, forwarders } = world(PLAIN);
    await dns.apply(desired({ domains: ['corp.example'] }));
    state.text = 'nameserver 172.16.0.1\n';
    state.changed?.();
    await dns.cleanUp();
    expect(servers(state.text)).toEqual(['127.71.86.1']);
    expect(forwarders[0]!.forwarding).toEqual({
      domains: ['corp.example'],
      inside: ['10.0.0.53'],
      outside: ['172.16.0.1'],
    });
    await dns.close();
  });

  test('who writes the file meanwhile has written what comes back, and ours holds again', async () => {
    const { dns, state } = world(PLAIN);
    await dns.apply(desired());
    state.text = 'nameserver 172.16.0.1\n';
    state.changed?.();
    // Behind what the change set off.
    await dns.cleanUp();
    expect(servers(state.text)).toEqual(['10.0.0.53']);
    await dns.close();
    expect(state.text).toBe('nameserver 172.16.0.1\n');
  });

  test('who writes it so that we cannot is told of, tried again, and told of when it is ours again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const changes: (string | null)[] = [];
      const options = { readOnly: false };
      const { dns, state } = world(PLAIN, options);
      await dns.apply(desired({ onChange: (failed) => changes.push(failed === null ? null : failed.code) }));
      options.readOnly = true;
      state.text = 'nameserver 172.16.0.1\n';
      state.changed?.();
      await dns.cleanUp();
      expect(changes).toEqual(['no-permission']);
      options.readOnly = false;
      await vi.advanceTimersByTimeAsync(2_000);
      await dns.cleanUp();
      expect(changes).toEqual(['no-permission', null]);
      expect(servers(state.text)).toEqual(['10.0.0.53']);
      await dns.close();
      expect(state.text).toBe('nameserver 172.16.0.1\n');
      expect(state.changed).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  test('a file that is somebody else’s at the end is left alone', async () => {
    const { dns, state } = world(PLAIN);
    await dns.apply(desired());
    state.text = 'nameserver 172.16.0.1\n';
    await dns.close();
    expect(state.text).toBe('nameserver 172.16.0.1\n');
  });

  test('what a killed run left is put back by the next', async () => {
    const crashed = world(PLAIN);
    await crashed.dns.apply(desired());
    const next = world(crashed.state.text);
    expect(await next.dns.cleanUp()).toEqual(['name servers of a tunnel in /etc/resolv.conf']);
    expect(next.state.text).toBe(PLAIN);
    expect(await next.dns.cleanUp()).toEqual([]);
  });

  test('a file that cannot be written is an error with a remedy, and no forwarder stays behind', async () => {
    const { dns, forwarders } = world(PLAIN, { readOnly: true });
    const failed = await dns.apply(desired({ domains: ['corp.example'] }));
    expect(failed).toBeInstanceOf(NetError);
    expect(failed).toMatchObject({ code: 'no-permission', errno: 'EROFS' });
    expect(forwarders[0]!.open).toBe(false);
  });

  test('no file at all: one is made, and what comes back is nothing', async () => {
    const { dns, state } = world(undefined);
    await dns.apply(desired());
    expect(servers(state.text)).toEqual(['10.0.0.53']);
    await dns.close();
    expect(state.text).toBe('');
  });
});
