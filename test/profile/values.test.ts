// Single values, right and wrong, as people type them.
import { describe, expect, it } from 'vitest';
import {
  wrongHost,
  wrongHostAddress,
  wrongIdentity,
  wrongInterfaceAddress,
  wrongInterfaceName,
  wrongName,
  wrongNetwork,
  wrongProposal,
} from '../../main/profile/values.ts';

const table = (
  name: string,
  check: (text: string) => string | undefined,
  right: readonly string[],
  wrong: readonly (readonly [text: string, says: RegExp])[],
): void => {
  describe(name, () => {
    it.each(right)('takes %j', (text) => {
      expect(check(text)).toBeUndefined();
    });
    it.each(wrong)('refuses %j', (text, says) => {
      expect(check(text)).toMatch(says);
    });
  });
};

table(
  'names',
  wrongName,
  ['office', 'a', 'Office-2.new_1', '9', 'x'.repeat(63)],
  [
    ['', /cannot/],
    ['my office', /cannot/],
    ['../passwd', /cannot/],
    ['a/b', /cannot/],
    ['.hidden', /cannot/],
    ['-x', /cannot/],
    ['x'.repeat(64), /cannot/],
    ['büro', /cannot/],
    ['a\n', /cannot/],
    ['a\0b', /cannot/],
  ],
);

table(
  'hosts',
  wrongHost,
  [
    'vpn.example.com',
    'vpn',
    'vpn.example.com.',
    '192.0.2.1',
    '2001:db8::1',
    'xn--bcher-kva.example',
    'a1.b2',
    'my_gw.local',
  ],
  [
    ['', /neither/],
    ['https://vpn.example.com', /web address/],
    ['vpn.example.com:500', /port/],
    ['192.0.2.256', /not an IP address/],
    ['192.0.2', /not an IP address/],
    ['2001:db8::g', /not an IP address/],
    ['[2001:db8::1]', /not an IP address/],
    ['vpn example', /neither/],
    ['-vpn.example', /neither/],
    ['vpn..example', /neither/],
    [`${'a'.repeat(64)}.example`, /neither/],
    ['vpn.example/24', /neither/],
  ],
);

table(
  'identities',
  wrongIdentity,
  ['alice@example.com', 'gw.example', '192.0.2.1', '2001:db8::1', 'key-id:office', 'key-id:0xdeadbeef', 'CN=Alice'],
  [
    ['', /null/],
    [' alice', /spaces/],
    ['alice\u0007', /control/],
    ['a'.repeat(256), /255/],
    ['%any', /null/],
    ['key-id:', /nothing/],
    ['key-id:0x123', /odd/],
    ['key-id:0xzz', /odd/],
    ['192.0.2.300', /not one/],
  ],
);

table(
  'host addresses',
  wrongHostAddress,
  ['10.77.0.1', 'fd00::1'],
  [
    ['10.77.0.1/32', /prefix length/],
    ['gw', /not an IP/],
    ['0.0.0.0', /unspecified/],
    ['::', /unspecified/],
    ['224.0.0.1', /multicast/],
    ['ff02::1', /multicast/],
  ],
);

table(
  'interface addresses',
  wrongInterfaceAddress,
  ['10.88.0.2/24', '10.88.0.0/31', '10.88.0.2', 'fd00::/127', 'fd00::1/64'],
  [
    ['10.88.0.0/24', /network itself/],
    ['10.88.0.255/24', /broadcast/],
    ['fd00::/64', /network itself/],
    ['10.88.0.2/33', /not an address/],
    ['10.88.0/24', /not an address/],
    ['239.1.1.1/32', /multicast/],
  ],
);

table(
  'networks',
  wrongNetwork,
  ['10.0.0.0/8', '0.0.0.0/0', '::/0', '10.1.2.3', '2001:db8::/32'],
  [
    ['10.1.0.0/8', /did you mean 10\.0\.0\.0\/8/],
    ['2001:db8::1/32', /did you mean 2001:db8::\/32/],
    ['10.0.0.0/33', /CIDR/],
    ['10.0.0.0 255.0.0.0', /CIDR/],
    ['224.0.0.0/4', /multicast/],
    ['ff00::/8', /multicast/],
  ],
);

table(
  'interface names',
  wrongInterfaceName,
  ['culvert%d', 'culvert0', 'vpn-1', 'a', 'x'.repeat(15)],
  [
    ['', /1 to 15/],
    ['x'.repeat(16), /1 to 15/],
    ['a/b', /characters/],
    ['a b', /characters/],
    ['%d%d', /characters/],
    ['%s', /characters/],
    ['lo', /taken/],
    ['all', /taken/],
  ],
);

table(
  'IKE proposals',
  (text) => wrongProposal(text, 'ike'),
  ['aes256gcm16-prfsha384-ecp256', 'aes256-sha256-modp2048'],
  [
    ['aes256gmc16-prfsha384-ecp256', /aes256gmc16/],
    ['aes256gcm16', /key exchange/],
    ['', /not known/],
  ],
);

table(
  'ESP proposals',
  (text) => wrongProposal(text, 'esp'),
  ['aes256gcm16', 'chacha20poly1305-esn', 'aes128gcm16-x25519', 'aes256-sha256', 'aes128-sha1', 'aes256ctr-sha512-esn'],
  [
    ['aes256', /integrity/],
    ['null-sha256', /encrypts nothing/],
    ['aes128gmac', /encrypts nothing/],
    ['aes256gcm16-prfsha256', /PRF/],
  ],
);
