// The ciphers of ESP that have an integrity algorithm beside them: both ends agree on them and on every key, and KEYMAT is cut as
// RFC 7296 §2.17 says: per direction the encryption key, the salt where there is one, the integrity key.
import { describe, expect, it } from 'vitest';
import { PRF_HMAC_SHA2_256 } from '../../main/crypto/prf.ts';
import { DEFAULT_ESP_PROPOSALS } from '../../main/crypto/proposal.ts';
import { inboundParams, outboundParams, wipeKeys } from '../../main/esp/child.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import { deriveChildKeys } from '../../main/ike/keymat.ts';
import { newCore, TUNNEL } from '../core/harness.ts';
import { prfPlus } from '../reference/ike-keymat.ts';
import { selector } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { Simulation } from '../sim/simulation.ts';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

function agree(ours: readonly string[], theirs: readonly string[], unencrypted?: boolean) {
  const child = {
    mode: 'tunnel',
    proposals: ours,
    unencrypted,
    local: [selector('0.0.0.0/0', 47)],
    remote: [selector('10.77.0.1/32', 47)],
    localIsDynamic: true,
  } as const;
  const { client, peer } = new Simulation({
    initiator: { child, requestAddresses: [4] },
    responder: { childProposals: theirs, unencrypted },
  }).connect();
  return { client, ours: client.installed[0] as ChildSa | undefined, theirs: peer.installed[0] as ChildSa | undefined };
}

/** Both ends' parameters are ones that the packet core takes. */
function install(child: ChildSa): void {
  const core = newCore();
  core.configureTunnel(0, TUNNEL);
  core.installInbound(0, inboundParams(child, 0, 64));
  core.installOutbound(0, outboundParams(child, 0));
}

describe('negotiation', () => {
  it.each([
    ['aes256-sha256', 'aes-cbc', 32, 0, 'hmac-sha2-256-128', 32],
    ['aes192-sha384-esn', 'aes-cbc', 24, 0, 'hmac-sha2-384-192', 48],
    ['aes128-sha1', 'aes-cbc', 16, 0, 'hmac-sha1-96', 20],
    ['aes256-sha512', 'aes-cbc', 32, 0, 'hmac-sha2-512-256', 64],
    ['aes256ctr-sha512-esn', 'aes-ctr', 32, 4, 'hmac-sha2-512-256', 64],
    ['aes128ctr-sha1', 'aes-ctr', 16, 4, 'hmac-sha1-96', 20],
  ] as const)('%s', (proposal, cipher, key, salt, integrity, integrityKey) => {
    const { ours, theirs } = agree([proposal], [proposal]);
    if (!ours || !theirs) throw new Error('no CHILD SA');
    expect(ours).toMatchObject({ proposal, cipher, integrity, esn: proposal.endsWith('-esn') });
    expect(ours.keyIn.length).toBe(key);
    expect(ours.saltIn.length).toBe(salt);
    expect(ours.integrityKeyIn?.length).toBe(integrityKey);
    for (const [one, other] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      expect(hex(one.keyIn)).toBe(hex(other.keyOut));
      expect(hex(one.saltIn)).toBe(hex(other.saltOut));
      expect(hex(one.integrityKeyIn)).toBe(hex(other.integrityKeyOut));
      expect(hex(one.integrityKeyIn)).not.toBe(hex(one.integrityKeyOut));
      install(one);
    }
    wipeKeys(ours);
    for (const secret of [ours.keyIn, ours.keyOut, ours.integrityKeyIn, ours.integrityKeyOut])
      expect(secret?.every((byte) => byte === 0)).toBe(true);
  });

  it('falls back from the AEADs of our defaults to AES-CBC', () => {
    const { ours } = agree(DEFAULT_ESP_PROPOSALS, ['aes128-sha256']);
    expect(ours).toMatchObject({ proposal: 'aes128-sha256', cipher: 'aes-cbc', integrity: 'hmac-sha2-256-128' });
  });

  it('never falls back to SHA-1 unasked', () => {
    const { client, ours } = agree(DEFAULT_ESP_PROPOSALS, ['aes128-sha1']);
    expect(ours).toBeUndefined();
    expect(client.closed?.by).toBe('error');
  });

  it('has NULL and GMAC for tests, and only where a test says so', () => {
    for (const proposal of ['null-sha256', 'aes128gmac']) {
      expect(() => agree([proposal], [proposal])).toThrow('encrypts nothing');
      const { ours } = agree([proposal], [proposal], true);
      expect(ours).toMatchObject({ proposal, unencrypted: true });
      install(ours!);
      expect(() => install({ ...ours!, unencrypted: false })).toThrow('for tests only');
    }
  });
});

describe('KEYMAT', () => {
  it('gives each direction its encryption key, salt and integrity key, the initiator’s first', () => {
    const random = seededBytes('keymat with integrity');
    const [SK_d, Ni, Nr] = [random(32), random(32), random(32)];
    for (const [key, salt, integrity] of [
      [32, 0, 32],
      [16, 4, 20],
      [24, 0, 48],
      [0, 0, 64],
    ] as const) {
      const keys = deriveChildKeys(PRF_HMAC_SHA2_256, SK_d, { Ni, Nr }, { key, salt, integrity });
      const inOrder =
        hex(keys.initiatorKey) +
        hex(keys.initiatorSalt) +
        hex(keys.initiatorIntegrityKey) +
        (hex(keys.responderKey) + hex(keys.responderSalt) + hex(keys.responderIntegrityKey));
      expect(inOrder).toBe(prfPlus('sha256', hex(SK_d), hex(Ni) + hex(Nr), 2 * (key + salt + integrity)));
      expect(keys.responderIntegrityKey.length).toBe(integrity);
    }
  });
});
