// What Culvert sends, as others decrypt it: IKEv2 by tshark, ESP by scapy, with the keys that charon derived on its own.
import { afterEach, expect, it } from 'vitest';
import { Capture, type EspKey } from './capture.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene } from './strongswan-gateway.ts';
import { dumped } from './strongswan-keys.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('decrypted by tshark and scapy with charon’s keys', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  for (const [proposal, cipher, keyBytes] of [
    ['aes128gcm16', 'aes-gcm-16', 16],
    ['aes256gcm16', 'aes-gcm-16', 32],
    ['chacha20poly1305', 'chacha20-poly1305', 32],
  ] as const) {
    it(`ESP ${proposal}: the inner packets, byte for byte`, async () => {
      scene = await Scene.open({ level: 4 });
      scene.lab.cutBursts('cl', 'v0a');
      const wire = await Capture.start(scene.lab, 'gw', 'v0b', 'udp', 'port', '4500');
      await scene.culvert.connect(scene.profile({ proposals: { esp: [proposal] } }));
      const { engine } = await scene.culvert.status();
      if (engine.state !== 'connected') throw new Error(engine.state);
      const tun = await Capture.start(scene.lab, 'cl', engine.tunnel.interfaceName, '-Q', 'out', 'ip');
      expect(await scene.ping(20, 1000)).toBe(20);
      expect(await scene.ping(3, 0)).toBe(3);
      await scene.culvert.down();
      await wire.stop();
      await tun.stop();

      const log = scene.gateway.log;
      const spis = /CHILD_SA gre\{\d+\} established with SPIs ([0-9a-f]{8})_i ([0-9a-f]{8})_o/.exec(log);
      const keyed = dumped(log, 'encryption initiator key');
      const key: EspKey = {
        spi: Number.parseInt(spis?.[1] as string, 16),
        cipher,
        key: keyed.slice(0, keyBytes * 2),
        salt: keyed.slice(keyBytes * 2),
        mode: 'tunnel',
      };
      const packets = await wire.esp([key]);
      expect(packets.filter(({ error }) => error)).toEqual([]);
      expect(packets.map(({ sequence }) => sequence)).toEqual(packets.map((_, index) => index + 1));
      // Delivery IPv4 header without options (20 bytes), GRE without options (4), then what went into the TUN.
      const carried = packets.map(({ inner }) => inner as string);
      for (const inner of carried) {
        expect(inner.slice(0, 2)).toBe('45');
        expect(inner.slice(18, 20)).toBe('2f');
        expect(inner.slice(32, 40)).toBe('0a4d0001');
        expect(inner.slice(40, 48)).toBe('00000800');
      }
      const sent = tun.packets();
      // More where pings had to be sent again.
      expect(sent.length).toBeGreaterThanOrEqual(23);
      expect(carried.map((inner) => inner.slice(48))).toEqual(sent);
    });
  }

  it('IKEv2: tshark decrypts every message and finds nothing malformed', async () => {
    scene = await Scene.open({ level: 4 });
    const wire = await Capture.start(scene.lab, 'gw', 'v0b', 'udp');
    await scene.culvert.connect(scene.profile());
    await scene.culvert.down();
    await wire.stop();
    const log = scene.gateway.log;
    const plain = await wire.tshark(['-Y', 'isakmp'], ['isakmp.ispi', 'isakmp.rspi']);
    const [SPIi, SPIr] = plain.at(-1) as [string, string];
    const table = [
      ...[SPIi, SPIr, dumped(log, 'Sk_ei secret'), dumped(log, 'Sk_er secret')],
      ...['"AES-GCM-256 with 16 octet ICV [RFC5282]"', '""', '""', '"NONE [RFC4306]"'],
    ].join(',');
    const decrypting = ['-o', `uat:ikev2_decryption_table:${table}`];
    const messages = await wire.tshark(
      [...decrypting, '-Y', 'isakmp'],
      ['isakmp.exchangetype', 'isakmp.flag_r', 'isakmp.enc.decrypted', 'isakmp.typepayload', '_ws.malformed'],
    );
    expect(
      await wire.tshark([...decrypting, '-Y', '_ws.malformed || _ws.expert.severity == error'], ['frame']),
    ).toEqual([]);
    // IKE_SA_INIT 34, IKE_AUTH 35, INFORMATIONAL 37 (our Delete, and what the gateway may say of its addresses, RFC 4555 §3.6), each a
    // request and its response.
    const exchanges = messages.map(([exchange]) => exchange);
    expect(exchanges.slice(0, 6)).toEqual(['34', '34', '35', '35', '37', '37']);
    expect(exchanges.slice(6).every((exchange) => exchange === '37')).toBe(true);
    expect(messages.map((fields) => fields[4] ?? '').join('')).toBe('');
    const [, , request, , ...informational] = messages.map((fields) => (fields[3] ?? '').split(','));
    // SK (46) opened: IDi 35, IDr 36, AUTH 39, CP 47, SA 33, TSi 44, TSr 45.
    for (const payload of ['35', '36', '39', '47', '33', '44', '45']) expect(request).toContain(payload);
    expect(informational.flat()).toContain('42');
  });
});
