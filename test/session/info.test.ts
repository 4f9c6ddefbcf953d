// What people are told of algorithms: of a tunnel's, and of those that two ends do not agree on.
import { describe, expect, test } from 'vitest';
import { NO_CONFIGURATION } from '../../main/ike/configuration.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { errorOfNotify } from '../../main/ike/notify-error.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { failureOf } from '../../main/session/failure.ts';
import { tunnelInfo } from '../../main/session/info.ts';
import { planTunnel } from '../../main/session/plan.ts';
import { selector } from '../sim/parties.ts';

const PROFILE = parseProfile(
  JSON.stringify({
    culvert: 1,
    name: 'office',
    gateway: { host: '192.0.2.1', identity: 'gateway.example.com' },
    authentication: { method: 'psk', identity: 'alice@example.com', secret: 'correct horse battery staple' },
    tunnel: { shape: 'esp-tunnel' },
    routes: { include: ['10.0.0.0/8'] },
  }),
).profile;

const LOCAL = Uint8Array.of(192, 0, 2, 2);
const GATEWAY = Uint8Array.of(192, 0, 2, 1);
const configuration = {
  ...NO_CONFIGURATION,
  addresses: [{ address: Uint8Array.of(10, 99, 0, 5), bits: 24 }],
};

const info = (ike: string, esp: string) =>
  tunnelInfo({
    profile: PROFILE,
    local: LOCAL,
    gateway: GATEWAY,
    child: { proposal: esp },
    established: {
      kind: 'established',
      proposal: ike,
      local: { address: LOCAL, port: 4500 },
      remote: { address: GATEWAY, port: 4500 },
      remoteIdentity: { type: 'fqdn', text: 'gateway.example.com' },
      behindNat: { local: false, remote: false },
      configuration,
    },
    encapsulation: 'udp',
    tun: { name: 'culvert0' },
    since: 0,
    plan: planTunnel(PROFILE, {
      local: LOCAL,
      gateway: GATEWAY,
      encapsulation: 'udp',
      child: {
        cipher: 'aes-gcm-16',
        integrity: undefined,
        local: [selector('10.99.0.5/32')],
        remote: [selector('10.0.0.0/8')],
      },
      configuration,
      path: 1500,
      greNext: 0,
    }),
    names: null,
    direct: [],
  });

describe('tunnelInfo', () => {
  test('the keys are post-quantum where ML-KEM is among the key exchanges that were done', () => {
    expect(info('aes256gcm16-prfsha256-ecp256-ke1_mlkem768', 'aes256gcm16').postQuantum).toBe(true);
    expect(info('aes256gcm16-prfsha256-mlkem1024', 'aes256gcm16').postQuantum).toBe(true);
    expect(info('aes256gcm16-prfsha256-ecp256-ke1_x25519', 'aes256gcm16').postQuantum).toBe(false);
    expect(info('aes256gcm16-prfsha256-ecp256', 'aes256gcm16').postQuantum).toBe(false);
  });

  test('warns of exactly what is weak in what the gateway chose', () => {
    expect(info('aes256gcm16-prfsha256-ecp256', 'aes256gcm16').warnings).toEqual([]);
    expect(info('aes128-sha256-modp1024', 'aes128-sha1').warnings).toMatchObject([
      { code: 'tunnel.weak', text: expect.stringContaining('IKE aes128-sha256-modp1024. It uses MODP-1024') },
      { code: 'tunnel.weak', text: expect.stringContaining('ESP aes128-sha1. It uses SHA-1') },
    ]);
  });
});

test('a disagreement crosses to people in flat words', () => {
  const error = errorOfNotify(NotifyType.INVALID_KE_PAYLOAD, {
    exchange: 'IKE_SA_INIT',
    proposals: ['aes256gcm16-prfsha256-ecp256'],
    accepted: { 'key-exchange': 'modp1024' },
  });
  expect(failureOf(error)).toMatchObject({
    permanent: true,
    error: {
      code: 'ike/no-ike-proposal',
      data: {
        notify: 'INVALID_KE_PAYLOAD',
        'offered.encryption': 'aes256gcm16',
        'offered.prf': 'prfsha256',
        'offered.key-exchange': 'ecp256',
        'accepted.key-exchange': 'modp1024',
      },
    },
  });
});
