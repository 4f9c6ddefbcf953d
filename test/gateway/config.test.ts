import { describe, expect, test } from 'vitest';
import {
  type ConfigProblem,
  GatewayConfigError,
  type GatewayConfigInput,
  parseGatewayConfig,
} from '../../main/gateway/config.ts';
import { formatPrefix } from '../../main/wire/address.ts';

const MINIMAL: GatewayConfigInput = {
  identity: 'gateway.example',
  users: [{ identity: 'alice@example.com', secret: 'correct horse' }],
  listen: { address: '192.0.2.1' },
  gre: { address: ['10.88.0.1/24'] },
};

function problems(input: unknown): readonly ConfigProblem[] {
  try {
    parseGatewayConfig(input);
  } catch (error) {
    if (error instanceof GatewayConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the gateway configuration', () => {
  test('little needs to be said', () => {
    const config = parseGatewayConfig(MINIMAL);
    expect(config.identity).toEqual({ type: 'fqdn', text: 'gateway.example' });
    expect(config.users[0]!.identity).toEqual({ type: 'rfc822', text: 'alice@example.com' });
    expect(Buffer.from(config.users[0]!.secret).toString()).toBe('correct horse');
    expect(config.listen).toMatchObject({ port: 500, nattPort: 4500 });
    expect(config.gre.address.map(formatPrefix)).toEqual(['10.88.0.1/24']);
    expect(config).toMatchObject({ encapsulation: 'auto', shapes: ['gre-tunnel', 'gre-transport'], path: 1500 });
    expect(config.gre).toMatchObject({ endpoint: null, key: null, checksum: false, sequence: false });
  });

  test('a secret may be hexadecimal', () => {
    const config = parseGatewayConfig({ ...MINIMAL, users: [{ identity: '192.0.2.9', secret: '0x00ff10' }] });
    expect([...config.users[0]!.secret]).toEqual([0, 255, 16]);
    expect(config.users[0]!.identity).toMatchObject({ type: 'ipv4' });
  });

  test('crash secrets are hexadecimal, 32 bytes at least and four at most; tickets are off unless asked for', () => {
    expect(parseGatewayConfig(MINIMAL)).toMatchObject({ ticketSeconds: 0, crashSecrets: [] });
    const crashSecrets = ['ab'.repeat(32), '01'.repeat(64)];
    const config = parseGatewayConfig({ ...MINIMAL, ticketSeconds: 3600, crashSecrets });
    expect(config.crashSecrets.map((one) => Buffer.from(one).toString('hex'))).toEqual(crashSecrets);
    for (const wrong of [['ab'.repeat(31)], ['zz'.repeat(32)], Array(5).fill('ab'.repeat(32))])
      expect(problems({ ...MINIMAL, crashSecrets: wrong })[0]?.pointer).toMatch(/^\/crashSecrets/);
  });

  test('what it says is where the mistake is, all of them at once', () => {
    const wrong = {
      ...MINIMAL,
      users: [{ identity: 'alice@example.com', secret: '' }],
      listen: { address: '192.0.2.300', porrt: 500 },
      replayWindow: 100,
    };
    expect(problems(wrong).map((problem) => problem.pointer)).toEqual(
      expect.arrayContaining(['/users/0/secret', '/listen/address', '/listen/porrt', '/replayWindow']),
    );
    expect(() => parseGatewayConfig(wrong)).toThrow('"192.0.2.300" is not an IPv4 or IPv6 address');
  });

  test.each([
    ['/listen/address', { ...MINIMAL, listen: { address: '0.0.0.0' } }],
    ['/gre/address', { ...MINIMAL, gre: {} }],
    ['/pool', { ...MINIMAL, shapes: ['esp-tunnel'] }],
    ['/pool/ipv4', { ...MINIMAL, pool: { ipv4: '10.0.0.0/31' } }],
    ['/proposals/esp/1', { ...MINIMAL, proposals: { esp: ['aes128gcm16', 'rot13'] } }],
    ['/proposals/ike/0', { ...MINIMAL, proposals: { ike: ['aes128-sha256-modp1024'] } }],
    ['/proposals/policy', { ...MINIMAL, proposals: { policy: 'weak' } }],
    ['/pool/ipv4', { ...MINIMAL, pool: { ipv4: '2001:db8::/64' } }],
    [
      '/authentication/certificate',
      { ...MINIMAL, authentication: { rounds: [['eap']], eap: { methods: ['mschapv2'] } } },
    ],
    [
      '/users/1/inner',
      {
        ...MINIMAL,
        users: [
          { identity: 'a@example.com', secret: 'x', inner: ['10.88.0.0/28'] },
          { identity: 'b@example.com', secret: 'y', inner: ['10.88.0.7'] },
        ],
      },
    ],
  ])('%s: what contradicts itself is refused', (pointer, input) => {
    expect(problems(input).map((problem) => problem.pointer)).toEqual([pointer]);
  });

  test('without a certificate EAP is for those who need none of the gateway, or comes second (RFC 7296 §2.16)', () => {
    const eap = { methods: ['mschapv2'] };
    for (const authentication of [
      { rounds: [['eap']], eap: { ...eap, only: true } },
      { rounds: [['psk'], ['eap']], eap },
    ])
      expect(problems({ ...MINIMAL, authentication })).toEqual([]);
  });

  test('no secret in the message', () => {
    const wrong = { ...MINIMAL, users: [{ identity: '', secret: 'hush-hush' }] };
    expect(() => parseGatewayConfig(wrong)).toThrow(GatewayConfigError);
    expect(JSON.stringify(problems(wrong))).not.toContain('hush');
  });
});
