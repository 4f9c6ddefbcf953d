import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formerOf, hostsOf, isOurs, replaced } from '../../../main/net/dns/resolv-conf.ts';
import { parseAddress } from '../../../main/wire/address.ts';

const address = (text: string): Uint8Array => parseAddress(text) ?? new Uint8Array(4);
const DEBIAN =
  'domain lan\nsearch lan home.arpa\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\noptions ndots:2 edns0\n';

describe('resolv.conf', () => {
  test('says the tunnel’s servers first, searches its domains first, keeps the options', () => {
    const text = replaced(DEBIAN, [address('10.0.0.53'), address('2001:db8::53')], ['corp.example']);
    const said = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(said).toEqual([
      'nameserver 10.0.0.53',
      'nameserver 2001:db8::53',
      'search corp.example lan home.arpa',
      'options ndots:2 edns0',
    ]);
    expect(isOurs(text)).toBe(true);
    expect(isOurs(DEBIAN)).toBe(false);
  });

  test('lists the servers that were there', () => {
    expect(hostsOf(DEBIAN)).toEqual(['192.168.1.1', 'fe80::1%eth0']);
    // resolv.conf(5): without a nameserver line the C library asks this computer.
    expect(hostsOf('search lan\n')).toEqual(['127.0.0.1']);
  });

  test.each(['', '\n', 'nameserver 1.1.1.1', DEBIAN, '# only a comment\n\n\n'])(
    'gives back what was there: %j',
    (former) => {
      expect(formerOf(replaced(former, [address('10.0.0.53')], []))).toBe(former);
      expect(formerOf(former)).toBe(former);
    },
  );

  test('gives back any text', () => {
    fc.assert(
      fc.property(fc.string(), (former) => {
        expect(formerOf(replaced(former, [address('10.0.0.53')], ['corp.example']))).toBe(former);
      }),
    );
  });

  test('has as many servers and domains as the C library reads', () => {
    const many = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map(address);
    const text = replaced(DEBIAN, many, ['a.test', 'b.test', 'c.test', 'd.test', 'e.test']);
    expect(hostsOf(text)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    expect(text).toContain('\nsearch a.test b.test c.test d.test e.test lan\n');
  });

  test('the last list counts, as for the C library; without one, the last domain', () => {
    const search = (former: string, domains: readonly string[] = []) =>
      replaced(former, [address('10.0.0.53')], domains)
        .split('\n')
        .filter((line) => line.startsWith('search'));
    expect(search('search a.test\nsearch b.test\n')).toEqual(['search b.test']);
    expect(search('domain a.test\ndomain b.test\n')).toEqual(['search b.test']);
    expect(search('search a.test\ndomain b.test\n')).toEqual(['search a.test']);
    expect(search('  search \ta.test \t b.test  \n')).toEqual(['search a.test b.test']);
    expect(search('searching a.test\n')).toEqual([]);
    expect(search('', ['corp.example'])).toEqual(['search corp.example']);
    expect(search('nameserver 192.168.1.1\n')).toEqual([]);
    expect(search('search lan corp.example\n', ['corp.example'])).toEqual(['search corp.example lan']);
  });

  test('keeps every line of options', () => {
    const text = replaced('options ndots:2\noptions edns0 rotate\n', [address('10.0.0.53')], []);
    expect(text.split('\n').filter((line) => line.startsWith('options'))).toEqual([
      'options ndots:2',
      'options edns0 rotate',
    ]);
  });

  test('passes over what is no server, and what stands behind one', () => {
    expect(hostsOf('nameserver nonsense\nnameserver 10.0.0.1 # the router\n#nameserver 10.0.0.2\n')).toEqual([
      '10.0.0.1',
    ]);
    expect(hostsOf('nameserver nonsense\n')).toEqual(['127.0.0.1']);
    expect(hostsOf('nameserver  2001:db8::1%eth0\n')).toEqual(['2001:db8::1%eth0']);
  });

  test('ours is a file that begins as ours does, not one that quotes it', () => {
    const ours = replaced(DEBIAN, [address('10.0.0.53')], []);
    const quoted = `# saved:\n${ours}`;
    expect(isOurs(quoted)).toBe(false);
    expect(formerOf(quoted)).toBe(quoted);
    // Ours again on top of ours: what comes back is what was there.
    expect(formerOf(formerOf(replaced(ours, [address('10.0.0.54')], [])))).toBe(DEBIAN);
  });

  test('searches the domain of this computer where there is no list', () => {
    expect(replaced('domain lan\n', [address('10.0.0.53')], ['corp.example'])).toContain('\nsearch corp.example lan\n');
  });
});
