// Transcripts: what `ip` would be told, against a kernel played by a small model that answers `ip -json`.
import { describe, expect, it } from 'vitest';
import type { DesiredRoutes } from '../../../main/net/route/api.ts';
import { linuxRouteTable } from '../../../main/net/route/linux.ts';
import { type RecordingRunner, recordingRunner } from '../../../main/net/runner.fake.ts';
import { parsePrefix } from '../../../main/wire/address.ts';

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);
const desired = (fields: Partial<DesiredRoutes>): DesiredRoutes => ({
  interfaceName: 'tun0',
  include: [],
  exclude: [],
  allowLan: false,
  unreachable: [],
  ...fields,
});

const RULE = 'priority 31750 not fwmark 0x4750 lookup 4750 protocol 147';
const FULL = desired({ include: prefixes('0.0.0.0/0', '::/0') });

interface Row {
  readonly [key: string]: string | number | null;
}

/** A host on 192.168.7.0/24 and 2001:db8:7::/64 behind eth0, and what batches add to and take from table 4750. */
function host(settings: Record<string, string> = {}, failOn?: RegExp) {
  const table = { 4: new Map<string, Row>(), 6: new Map<string, Row>() };
  const rules = { 4: [] as Row[], 6: [] as Row[] };
  const main = {
    4: [
      { dst: 'default', gateway: '192.168.7.1', dev: 'eth0' },
      { dst: '192.168.7.0/24', dev: 'eth0', protocol: 'kernel', scope: 'link' },
      { dst: '10.88.0.0/24', dev: 'tun0', protocol: 'kernel', scope: 'link' },
    ],
    6: [
      { dst: '2001:db8:7::/64', dev: 'eth0', protocol: 'kernel' },
      { dst: 'default', gateway: 'fe80::1', dev: 'eth0' },
    ],
  };
  let armed = failOn !== undefined;
  const runner: RecordingRunner = recordingRunner((line, input) => {
    const family = line.includes(' -6 ') ? 6 : 4;
    if (line.endsWith('rule show')) return JSON.stringify([{ priority: 0, table: 'local' }, ...rules[family]]);
    if (line.endsWith('table main')) return JSON.stringify(main[family]);
    if (line.endsWith('show table 4750')) {
      if (table[family].size === 0)
        return { exitCode: 2, stdout: '[', stderr: 'Error: ipv4: FIB table does not exist.' };
      return JSON.stringify([...table[family].values()]);
    }
    if (line.endsWith('flush table 4750')) table[family].clear();
    if (line.endsWith('link show')) return JSON.stringify([{ ifindex: 300, ifname: 'eth0' }]);
    for (const text of line.endsWith('-batch -') ? input!.trim().split('\n') : []) {
      if (armed && failOn?.test(text)) {
        armed = false;
        return { exitCode: 1, stderr: 'RTNETLINK answers: No buffer space available' };
      }
      const words = text.split(' ');
      if (words[0] === 'rule' && words[1] === 'add')
        rules[family].push({ priority: 31750, not: null, fwmark: '0x4750', table: '4750', protocol: '147' });
      if (words[0] === 'rule' && words[1] === 'del') rules[family].pop();
      const dst = words[3]?.replace(/^(0\.0\.0\.0|::)\/0$/, 'default').replace(/\/(32|128)$/, '') ?? '';
      const row: Row = { dst, protocol: '147' };
      const metric = words.indexOf('metric');
      const key = metric > 0 ? `${dst} metric ${words[metric + 1]}` : dst;
      if (words[0] === 'route' && words[1] === 'replace')
        table[family].set(key, {
          ...row,
          ...(words[2] === 'unicast' ? { dev: words[5]! } : { type: words[2]! }),
          ...(words.includes('src') ? { prefsrc: words[words.indexOf('src') + 1]! } : {}),
          ...(metric > 0 ? { metric: Number(words[metric + 1]) } : {}),
        });
      if (words[0] === 'route' && words[1] === 'del') table[family].delete(key);
    }
    return undefined;
  }, settings);
  /** What was changed since the last look, without what was only read. */
  const changes = () => {
    const lines = runner.transcript.splice(0);
    return lines.filter((line) => !/ show( |$)/.test(line));
  };
  return { runner, changes, table, rules, routes: linuxRouteTable(runner) };
}

describe('apply', () => {
  it('split: routes first, then the rule that leads to them; nothing for the other family', async () => {
    const { routes, changes } = host();
    expect(await routes.apply(desired({ include: prefixes('10.0.0.0/8', '172.16.5.0/24') }))).toBeUndefined();
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unreachable 10.0.0.0/8 table 4750 protocol 147 metric 4294967294',
      '  route replace unreachable 172.16.5.0/24 table 4750 protocol 147 metric 4294967294',
      '  route replace unicast 10.0.0.0/8 dev tun0 scope global table 4750 protocol 147',
      '  route replace unicast 172.16.5.0/24 dev tun0 scope global table 4750 protocol 147',
      `  rule add ${RULE}`,
    ]);
  });

  it('with the address that packets leave from, which is put right where it is another', async () => {
    const { routes, changes, table } = host();
    const [prefix, other] = prefixes('10.66.0.0/24', '10.10.0.5/32');
    const wanted = desired({ include: [prefix!], sources: [{ prefix: prefix!, source: other!.address }] });
    await routes.apply(wanted);
    expect(changes().filter((line) => line.includes('unicast'))).toEqual([
      '  route replace unicast 10.66.0.0/24 dev tun0 scope global table 4750 protocol 147 src 10.10.0.5',
    ]);
    await routes.apply(wanted);
    expect(changes()).toEqual([]);
    // As after an address was assigned anew.
    table[4].set('10.66.0.0/24', { ...table[4].get('10.66.0.0/24')!, prefsrc: '10.10.0.4' });
    await routes.apply(wanted);
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unicast 10.66.0.0/24 dev tun0 scope global table 4750 protocol 147 src 10.10.0.5',
    ]);
  });

  it('full IPv4, IPv6 refused', async () => {
    const { routes, changes } = host();
    await routes.apply(desired({ include: prefixes('0.0.0.0/0'), unreachable: prefixes('::/0') }));
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unreachable 0.0.0.0/0 table 4750 protocol 147 metric 4294967294',
      '  route replace unicast 0.0.0.0/0 dev tun0 scope global table 4750 protocol 147',
      `  rule add ${RULE}`,
      'ip -6 -batch -',
      '  route replace unreachable ::/0 table 4750 protocol 147',
      '  route replace throw fe80::/10 table 4750 protocol 147',
      `  rule add ${RULE}`,
    ]);
  });

  it('full, both families', async () => {
    const { routes, changes } = host();
    await routes.apply(FULL);
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unreachable 0.0.0.0/0 table 4750 protocol 147 metric 4294967294',
      '  route replace unicast 0.0.0.0/0 dev tun0 scope global table 4750 protocol 147',
      `  rule add ${RULE}`,
      'ip -6 -batch -',
      '  route replace unreachable ::/0 table 4750 protocol 147 metric 4294967294',
      '  route replace throw fe80::/10 table 4750 protocol 147',
      '  route replace unicast ::/0 dev tun0 table 4750 protocol 147',
      `  rule add ${RULE}`,
    ]);
  });

  it('exclusions and attached networks are thrown back to the main table, except the tunnel’s own', async () => {
    const { routes, changes } = host();
    await routes.apply(
      desired({ include: prefixes('0.0.0.0/0'), exclude: prefixes('203.0.113.9', '10.88.7.7/24'), allowLan: true }),
    );
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unreachable 0.0.0.0/0 table 4750 protocol 147 metric 4294967294',
      '  route replace throw 192.168.7.0/24 table 4750 protocol 147',
      '  route replace unicast 0.0.0.0/0 dev tun0 scope global table 4750 protocol 147',
      '  route replace throw 203.0.113.9/32 table 4750 protocol 147',
      '  route replace throw 10.88.7.0/24 table 4750 protocol 147',
      `  rule add ${RULE}`,
    ]);
  });

  it('a network that is itself included is not thrown back; a narrower one inside it is', async () => {
    const { routes, changes } = host();
    await routes.apply(desired({ include: prefixes('192.168.7.0/24'), allowLan: true }));
    expect(changes().join('\n')).not.toContain('throw');
    await routes.apply(desired({ include: prefixes('192.168.0.0/16'), allowLan: true }));
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unreachable 192.168.0.0/16 table 4750 protocol 147 metric 4294967294',
      '  route replace throw 192.168.7.0/24 table 4750 protocol 147',
      '  route replace unicast 192.168.0.0/16 dev tun0 scope global table 4750 protocol 147',
      '  route del unreachable 192.168.7.0/24 table 4750 protocol 147 metric 4294967294',
    ]);
  });

  it('again changes nothing; a change touches only what differs, additions first', async () => {
    const { routes, changes } = host();
    await routes.apply(desired({ include: prefixes('10.0.0.0/8', '0.0.0.0/0'), unreachable: prefixes('::/0') }));
    changes();
    await routes.apply(desired({ include: prefixes('0.0.0.0/0', '10.0.0.0/8'), unreachable: prefixes('::/0') }));
    expect(changes()).toEqual([]);
    await routes.apply(desired({ include: prefixes('0.0.0.0/0', '10.1.0.0/16', '::/0') }));
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unreachable 10.1.0.0/16 table 4750 protocol 147 metric 4294967294',
      '  route replace unicast 10.1.0.0/16 dev tun0 scope global table 4750 protocol 147',
      '  route del unreachable 10.0.0.0/8 table 4750 protocol 147 metric 4294967294',
      '  route del unicast 10.0.0.0/8 dev tun0 scope global table 4750 protocol 147',
      'ip -6 -batch -',
      '  route replace unreachable ::/0 table 4750 protocol 147 metric 4294967294',
      '  route replace unicast ::/0 dev tun0 table 4750 protocol 147',
    ]);
  });

  it('the fallback of a vanished TUN is known for what it is: it goes with its prefix, and only then', async () => {
    const { routes, changes, table } = host();
    await routes.apply(FULL);
    // What the kernel does when the TUN goes.
    for (const family of [4, 6] as const) table[family].delete('default');
    changes();
    await routes.apply(desired({ include: prefixes('0.0.0.0/0'), unreachable: prefixes('::/0') }));
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace unicast 0.0.0.0/0 dev tun0 scope global table 4750 protocol 147',
      'ip -6 -batch -',
      '  route replace unreachable ::/0 table 4750 protocol 147',
      '  route del unreachable ::/0 table 4750 protocol 147 metric 4294967294',
    ]);
    await routes.apply(desired({ include: prefixes('10.0.0.0/8') }));
    expect([...table[4].keys()]).toEqual(['10.0.0.0/8 metric 4294967294', '10.0.0.0/8']);
    expect(table[6].size).toBe(0);
  });

  it('half failed: what was done is undone, and the error says what the command said', async () => {
    const { routes, table, rules } = host({}, /unicast ::\/0/);
    const error = await routes.apply(FULL);
    expect(error).toMatchObject({ code: 'command-failed' });
    expect(error?.message).toContain('No buffer space available');
    expect([table[4].size, table[6].size, rules[4].length, rules[6].length]).toEqual([0, 0, 0, 0]);
  });

  it('half failed over a working state: that state again', async () => {
    const { routes, table, rules } = host({}, /unicast 2001:db8::\/32/);
    await routes.apply(desired({ include: prefixes('10.0.0.0/8') }));
    const before = JSON.stringify([...table[4]]);
    const error = await routes.apply(desired({ include: prefixes('0.0.0.0/0', '2001:db8::/32') }));
    expect(error?.message).toContain('No buffer space available');
    expect(JSON.stringify([...table[4]])).toBe(before);
    expect([table[6].size, rules[4].length, rules[6].length]).toEqual([0, 1, 0]);
  });

  it('permission refused is told as such', async () => {
    const runner = recordingRunner((line) =>
      line.endsWith('-batch -') ? { exitCode: 2, stderr: 'RTNETLINK answers: Operation not permitted' } : '[]',
    );
    expect(await linuxRouteTable(runner).apply(FULL)).toMatchObject({ code: 'no-permission' });
  });

  it('a kernel without IPv6: refused where IPv6 is to be routed, fine where it is only to be blocked', async () => {
    const runner = recordingRunner((line) =>
      line.includes(' -6 ') ? { exitCode: 2, stderr: 'RTNETLINK answers: Operation not supported' } : '[]',
    );
    const routes = linuxRouteTable(runner);
    expect(await routes.apply(FULL)).toMatchObject({ code: 'unsupported' });
    expect(
      await routes.apply(desired({ include: prefixes('0.0.0.0/0'), unreachable: prefixes('::/0') })),
    ).toBeUndefined();
  });
});

describe('reverse-path filter', () => {
  const strict = { 'net/ipv4/conf/all/rp_filter': '0', 'net/ipv4/conf/eth0/rp_filter': '1' };

  it('strict becomes loose with a note in our table, and strict again at close', async () => {
    const { routes, changes, runner } = host(strict);
    await routes.apply(desired({ include: prefixes('0.0.0.0/0') }));
    expect(changes()).toEqual([
      'ip -4 -batch -',
      '  route replace throw 127.0.1.44/32 table 4750 protocol 147 metric 2',
      'set net/ipv4/conf/eth0/rp_filter = 2',
      'ip -4 -batch -',
      '  route replace unreachable 0.0.0.0/0 table 4750 protocol 147 metric 4294967294',
      '  route replace unicast 0.0.0.0/0 dev tun0 scope global table 4750 protocol 147',
      `  rule add ${RULE}`,
    ]);
    await routes.apply(desired({ include: prefixes('0.0.0.0/0') }));
    expect(changes()).toEqual([]);
    await routes.close();
    expect(runner.settings.get('net/ipv4/conf/eth0/rp_filter')).toBe('1');
  });

  it('the machine-wide setting counts, and the interface’s own former value comes back', async () => {
    const { routes, runner } = host({ 'net/ipv4/conf/all/rp_filter': '1', 'net/ipv4/conf/eth0/rp_filter': '0' });
    await routes.apply(desired({ include: prefixes('0.0.0.0/0') }));
    expect(runner.settings.get('net/ipv4/conf/eth0/rp_filter')).toBe('2');
    await routes.close();
    expect(runner.settings.get('net/ipv4/conf/eth0/rp_filter')).toBe('0');
  });

  it('somebody else’s later value stays', async () => {
    const { routes, runner } = host(strict);
    await routes.apply(desired({ include: prefixes('0.0.0.0/0') }));
    runner.settings.set('net/ipv4/conf/eth0/rp_filter', '0');
    await routes.close();
    expect(runner.settings.get('net/ipv4/conf/eth0/rp_filter')).toBe('0');
  });

  it('is left alone where nothing is routed into the tunnel', async () => {
    const { routes, changes } = host(strict);
    await routes.apply(desired({ unreachable: prefixes('::/0') }));
    expect(changes().join('\n')).not.toContain('rp_filter');
  });
});

describe('close and cleanUp', () => {
  it('close takes the rule away first, then the routes; twice is harmless', async () => {
    const { routes, changes, table, rules } = host();
    await routes.apply(FULL);
    changes();
    await routes.close();
    expect(changes()).toEqual([
      'ip -4 -batch -',
      `  rule del ${RULE}`,
      'ip -4 route flush table 4750',
      'ip -6 -batch -',
      `  rule del ${RULE}`,
      'ip -6 route flush table 4750',
    ]);
    expect([table[4].size, table[6].size, rules[4].length, rules[6].length]).toEqual([0, 0, 0, 0]);
    await routes.close();
    expect(changes()).toEqual([]);
  });

  it('cleanUp of another process removes it all, doubled rules too, and says what', async () => {
    const crashed = host({ 'net/ipv4/conf/eth0/rp_filter': '1' });
    await crashed.routes.apply(
      desired({ include: prefixes('0.0.0.0/0'), exclude: prefixes('10.0.0.0/8'), unreachable: prefixes('::/0') }),
    );
    crashed.rules[4].push(...crashed.rules[4]);
    const removed = await linuxRouteTable(crashed.runner).cleanUp();
    expect(removed).toEqual([
      'IPv4 rule for table 4750',
      'reverse-path filter of eth0 set back to 1',
      '3 IPv4 routes in table 4750',
      'IPv6 rule for table 4750',
      '2 IPv6 routes in table 4750',
    ]);
    expect([crashed.table[4].size, crashed.table[6].size, crashed.rules[4].length, crashed.rules[6].length]).toEqual([
      0, 0, 0, 0,
    ]);
    expect(await linuxRouteTable(crashed.runner).cleanUp()).toEqual([]);
  });

  it('leaves rules and tables of others alone', async () => {
    const runner = recordingRunner((line) =>
      line.endsWith('rule show')
        ? JSON.stringify([
            { priority: 32765, not: null, fwmark: '0xca6c', table: '51820' },
            { priority: 31750, table: '51820', protocol: '147' },
            { priority: 100, table: '4750', protocol: '147' },
          ])
        : '[]',
    );
    expect(await linuxRouteTable(runner).cleanUp()).toEqual([]);
    expect(runner.transcript.filter((line) => !line.includes('show'))).toEqual([]);
  });

  it('close tries once more, says what failed twice, and undoes the rest all the same', async () => {
    const once = host({}, /rule del/);
    await once.routes.apply(FULL);
    await expect(once.routes.close()).resolves.toBeUndefined();
    expect([once.table[4].size, once.rules[4].length, once.rules[6].length]).toEqual([0, 0, 0]);

    const stuck = host();
    await stuck.routes.apply(FULL);
    const { runner } = stuck;
    const refusing = linuxRouteTable({
      ...runner,
      run: async (program, args, input) =>
        input?.startsWith('rule del') && args[0] === '-4'
          ? { exitCode: 1, stdout: '', stderr: 'RTNETLINK answers: No buffer space available' }
          : runner.run(program, args, input),
    });
    await expect(refusing.close()).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('No buffer space available'),
    });
    expect([stuck.table[4].size, stuck.rules[4].length]).toEqual([0, 1]);
    expect([stuck.table[6].size, stuck.rules[6].length]).toEqual([0, 0]);
    await expect(refusing.cleanUp()).rejects.toMatchObject({ code: 'command-failed' });
  });

  it('a close during an apply waits for it and undoes all of it', async () => {
    const { routes, table, rules } = host();
    await Promise.all([routes.apply(FULL), routes.close()]);
    expect([table[4].size, table[6].size, rules[4].length, rules[6].length]).toEqual([0, 0, 0, 0]);
  });
});

describe('wayTo', () => {
  const there = Uint8Array.of(198, 51, 100, 1);
  const answers = (route: string, index: number) =>
    recordingRunner((line) =>
      line.includes('route get') ? route : JSON.stringify([{ ifindex: index, ifname: 'eth0' }]),
    );

  it('names interface and router, past our own table', async () => {
    const runner = answers('[{"dst":"198.51.100.1","gateway":"192.168.7.1","dev":"eth0","prefsrc":"192.168.7.2"}]', 2);
    expect(await linuxRouteTable(runner).wayTo?.(there)).toBe('eth0 (2) by 192.168.7.1');
    expect(runner.transcript[0]).toBe(`ip -json -4 route get 198.51.100.1 mark ${0x4750}`);
    expect(await linuxRouteTable(answers('[{"dst":"198.51.100.1","dev":"eth0"}]', 3)).wayTo?.(there)).toBe('eth0 (3)');
  });

  it('does not know where there is none', async () => {
    const refuses = recordingRunner(() => ({ exitCode: 2, stderr: 'RTNETLINK answers: Network is unreachable' }));
    expect(await linuxRouteTable(refuses).wayTo?.(there)).toBeUndefined();
    expect(await linuxRouteTable(answers('[]', 2)).wayTo?.(there)).toBeUndefined();
  });
});
