import { expect, test } from 'vitest';
import { detectNat, natDetectionHash } from '../../main/ike/nat.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { payloadsOf } from '../../main/ike/payload/payload.ts';
import { endpoint } from '../sim/parties.ts';
import { RECORDED, read } from './recorded.ts';

// The recording's own words: initiator at 10.9.0.1:500, responder at 10.9.0.2.
const CLIENT = endpoint('10.9.0.1', 500);
const SERVER = endpoint('10.9.0.2', 500);

test.each(RECORDED)('makes the hashes that strongSwan sent: $selected', (recorded) => {
  const request = read(recorded, 0);
  const { SPIi } = request.header;
  const of = (type: number) =>
    payloadsOf(request.payloads, 'notify')
      .filter((n) => n.type === type)
      .map((n) => n.data);
  const destination = of(NotifyType.NAT_DETECTION_DESTINATION_IP);
  expect(destination).toEqual([natDetectionHash(SPIi, 0n, SERVER)]);
  const seen = { SPIi, SPIr: 0n, source: of(NotifyType.NAT_DETECTION_SOURCE_IP), destination };
  // kernel-libipsec feigns a NAT, so that the source never matches.
  expect(detectNat({ ...seen, from: CLIENT, local: SERVER })).toEqual({ remote: true, local: false });
});

test('tells who is behind a NAT', () => {
  const hash = (who: typeof CLIENT) => natDetectionHash(1n, 2n, who);
  const detect = (source: readonly Uint8Array[], destination: readonly Uint8Array[]) =>
    detectNat({ SPIi: 1n, SPIr: 2n, source, destination, from: CLIENT, local: SERVER });
  expect(detect([hash(CLIENT)], [hash(SERVER)])).toEqual({ remote: false, local: false });
  expect(detect([hash(SERVER)], [hash(SERVER)])).toEqual({ remote: true, local: false });
  expect(detect([hash(CLIENT)], [hash(CLIENT)])).toEqual({ remote: false, local: true });
  expect(detect([hash(endpoint('10.9.0.1', 501))], [hash(endpoint('10.9.0.2', 4500))])).toEqual({
    remote: true,
    local: true,
  });
  // RFC 7296 §2.23: several sources, any of which may match.
  expect(detect([hash(SERVER), hash(CLIENT)], [hash(SERVER)])).toEqual({ remote: false, local: false });
  // The SPIs are part of it.
  expect(detect([natDetectionHash(1n, 3n, CLIENT)], [hash(SERVER)])).toEqual({ remote: true, local: false });
  // No hashes: no NAT traversal.
  expect(detect([], [hash(SERVER)])).toBeUndefined();
  expect(detect([hash(CLIENT)], [])).toBeUndefined();
});
