// Every combination of what issue 2 asks for: the two ends agree on the same keys, SPIs and selectors, mirrored.
import { expect, test } from 'vitest';
import { formatTransforms, parseProposal } from '../../main/crypto/proposal.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import { formatSelector } from '../../main/wire/selector.ts';
import { mirrored } from '../sim/mirrored.ts';
import { CLIENT, GATEWAY, selector } from '../sim/parties.ts';
import { Simulation } from '../sim/simulation.ts';

const GROUPS = ['modp2048', 'ecp256', 'ecp384', 'x25519'];
const CIPHERS = ['aes128gcm16', 'aes256gcm16', 'chacha20poly1305', 'aes128-sha256', 'aes256-sha384', 'aes256-sha512'];
const PRFS = ['prfsha256', 'prfsha384', 'prfsha512'];
const ESP = ['aes128gcm16', 'aes256gcm16', 'chacha20poly1305', 'aes256gcm16-esn', 'chacha20poly1305-esn'];
const KEY_BYTES: Readonly<Record<string, number>> = { aes128gcm16: 16, aes256gcm16: 32, chacha20poly1305: 32 };

const matrix = GROUPS.flatMap((group) => CIPHERS.flatMap((cipher) => PRFS.map((prf) => `${cipher}-${prf}-${group}`)));

test.each(matrix)('%s × every ESP cipher × both modes', (ike) => {
  for (const esp of ESP)
    for (const mode of ['tunnel', 'transport'] as const) {
      const child =
        mode === 'tunnel'
          ? {
              mode,
              proposals: [esp],
              local: [selector('0.0.0.0/0', 47)],
              remote: [selector('10.77.0.1/32', 47)],
              localIsDynamic: true,
            }
          : {
              mode,
              proposals: [esp],
              local: [selector(`${CLIENT}/32`, 47)],
              remote: [selector(`${GATEWAY}/32`, 47)],
              localIsDynamic: true,
            };
      const sim = new Simulation({
        initiator: { proposals: [ike], child, requestAddresses: mode === 'tunnel' ? [4] : [] },
        responder: { proposals: [ike], childProposals: [esp] },
      }).connect();
      const { client, peer } = sim;
      expect(client.closed, JSON.stringify(client.closed)).toBeUndefined();
      expect(sim.wire.length).toBe(4);
      expect(client.established!.proposal).toBe(formatTransforms(parseProposal(ike, 'ike')));
      expect(peer.established!.proposal).toBe(client.established!.proposal);
      const [ours] = client.installed as [ChildSa];
      const [theirs] = peer.installed as [ChildSa];
      expect(mirrored(ours)).toEqual(theirs);
      expect(ours).toMatchObject({ mode, proposal: esp, esn: esp.endsWith('-esn'), encapsulation: 'raw' });
      expect(ours.keyIn.length).toBe(KEY_BYTES[esp.replace('-esn', '')]);
      expect(ours.saltIn.length).toBe(4);
      expect(ours.local.map(formatSelector)).toEqual([mode === 'tunnel' ? '10.99.0.5[47]' : `${CLIENT}[47]`]);
      expect(ours.remote.map(formatSelector)).toEqual([mode === 'tunnel' ? '10.77.0.1[47]' : `${GATEWAY}[47]`]);
      expect(client.expected).toEqual([ours.spiIn]);
      expect(peer.expected).toEqual([theirs.spiIn]);
    }
});
