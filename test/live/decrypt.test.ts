// What the data plane puts on the wire, decrypted by scapy with the keys of this test: every shape, raw and
// UDP-encapsulated, every cipher, IPv4 and IPv6 inside and outside, extended sequence numbers; byte for byte.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EspCipher, EspIntegrity } from '../../main/core/api.ts';
import { Capture } from './capture.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';

const SEAL_OUT = fileURLToPath(new URL('./seal-out.mjs', import.meta.url));
const missing = [cannotRunLive(), culvertMissing('path/start.js')];

/** A UDP packet in IPv4 or IPv6 with `size` bytes of payload; checksums are not the matter here. */
function innerPacket(family: 4 | 6, size: number): Buffer {
  const payload = randomBytes(size);
  const udp = Buffer.alloc(8);
  udp.writeUInt16BE(4000, 0);
  udp.writeUInt16BE(4001, 2);
  udp.writeUInt16BE(8 + size, 4);
  if (family === 6) {
    const ip = Buffer.alloc(40);
    ip[0] = 0x60;
    ip.writeUInt16BE(8 + size, 4);
    ip[6] = 17;
    ip[7] = 64;
    ip.set([0xfd, ...new Array(14).fill(0), 2], 8);
    ip.set([0xfd, ...new Array(14).fill(0), 1], 24);
    return Buffer.concat([ip, udp, payload]);
  }
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(28 + size, 2);
  ip.writeUInt16BE(size, 4);
  ip[8] = 64;
  ip[9] = 17;
  ip.set([10, 88, 0, 2, 10, 88, 0, 1], 12);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += ip.readUInt16BE(at);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  ip.writeUInt16BE(~sum & 0xffff, 10);
  return Buffer.concat([ip, udp, payload]);
}

const GRE = { key: 0xfeedbeef, checksum: true, sequence: true, nextSequence: 0 };
const PLAIN_GRE = { key: null, checksum: false, sequence: false, nextSequence: 0 };

live('what leaves the data plane, decrypted by scapy', missing, () => {
  let lab: Lab;
  beforeAll(() => {
    lab = new Lab();
    lab.namespace('a');
    lab.namespace('b');
    lab.link('a', '192.0.2.2/24', 'b', '192.0.2.1/24');
    lab.run('a', 'ip', 'address', 'add', '2001:db8::2/64', 'dev', 'v0a', 'nodad');
    lab.run('b', 'ip', 'address', 'add', '2001:db8::1/64', 'dev', 'v0b', 'nodad');
    lab.cutBursts('a', 'v0a');
  });
  afterAll(async () => lab?.close());

  let spi = 0x1000;
  interface Case {
    readonly shape: 'gre-transport' | 'gre-tunnel' | 'esp-tunnel';
    readonly encapsulation: 'raw' | 'udp';
    readonly outerFamily: 4 | 6;
    readonly cipher: EspCipher;
    readonly integrity?: EspIntegrity;
    /** Bytes of it. */
    readonly integrityKey?: number;
  }
  const cases: Case[] = (['gre-transport', 'gre-tunnel', 'esp-tunnel'] as const).flatMap((shape) =>
    (['raw', 'udp'] as const).flatMap((encapsulation) =>
      ([4, 6] as const).flatMap((outerFamily) =>
        (['aes-gcm-16', 'chacha20-poly1305'] as const).map((cipher) => ({ shape, encapsulation, outerFamily, cipher })),
      ),
    ),
  );
  const base = { shape: 'gre-tunnel', encapsulation: 'udp', outerFamily: 4 } as const;
  cases.push(
    { ...base, cipher: 'aes-cbc', integrity: 'hmac-sha2-256-128', integrityKey: 32 },
    { ...base, cipher: 'aes-cbc', integrity: 'hmac-sha2-384-192', integrityKey: 48 },
    {
      ...base,
      shape: 'gre-transport',
      encapsulation: 'raw',
      cipher: 'aes-cbc',
      integrity: 'hmac-sha1-96',
      integrityKey: 20,
    },
    { ...base, shape: 'esp-tunnel', cipher: 'aes-ctr', integrity: 'hmac-sha2-512-256', integrityKey: 64 },
    { ...base, outerFamily: 6, cipher: 'null', integrity: 'hmac-sha2-256-128', integrityKey: 32 },
    { ...base, encapsulation: 'raw', cipher: 'aes-cbc', integrity: 'hmac-sha2-512-256', integrityKey: 64 },
  );
  for (const { shape, encapsulation, outerFamily, cipher, integrity, integrityKey: integrityBytes } of cases) {
    it(`${shape}, ${encapsulation}, IPv${outerFamily} outside, ${cipher} ${integrity ?? ''}`, async () => {
      spi++;
      const keyLength = cipher === 'null' ? 0 : cipher === 'chacha20-poly1305' ? 32 : 16 + (spi % 2) * 16;
      const saltLength = cipher === 'aes-cbc' || cipher === 'null' ? 0 : 4;
      const [key, salt] = [randomBytes(keyLength).toString('hex'), randomBytes(saltLength).toString('hex')];
      const integrityKey = randomBytes(integrityBytes ?? 0).toString('hex');
      const unencrypted = cipher === 'null';
      // scapy leaves the upper half of the sequence number out of an HMAC; linux-kernel.test.ts has a peer that does not.
      const esn = spi % 3 === 0 && !integrity;
      const gre = shape === 'esp-tunnel' ? null : spi % 2 ? GRE : PLAIN_GRE;
      const packets = [0, 1, 2, 3, 31, 500, 1300].flatMap((size) => [innerPacket(4, size), innerPacket(6, size)]);
      const job = {
        ...{ outerFamily, encapsulation, cipher, key, salt, integrity, integrityKey, spi, esn, shape, gre },
        unencrypted,
        remote: outerFamily === 4 ? '192.0.2.1' : '2001:db8::1',
        delivery: shape === 'gre-tunnel' ? { local: '10.99.0.1', remote: '10.77.0.1' } : null,
        packets: packets.map((packet) => packet.toString('hex')),
      };
      const file = join(lab.directory, `${spi}.json`);
      writeFileSync(file, JSON.stringify(job));
      const wire = await Capture.start(
        lab,
        'b',
        'v0b',
        encapsulation === 'udp' ? 'udp port 4500' : 'ip proto 50 or ip6 proto 50',
      );
      const ran = await lab.finish('a', [process.execPath, SEAL_OUT, file], 20_000);
      expect(ran.stdout, ran.stderr).toContain(`sent ${packets.length}`);
      await wire.holds(packets.length);
      await wire.stop();

      const mode = shape === 'gre-transport' ? 'transport' : 'tunnel';
      const found = await wire.esp([{ spi, cipher, key, salt, integrity, integrityKey, mode, esn }]);
      expect(found.filter(({ error }) => error)).toEqual([]);
      expect(found.map(({ sequence }) => sequence)).toEqual(packets.map((_, index) => index + 1));
      expect(found.every((packet) => packet.encapsulation === encapsulation)).toBe(true);
      found.forEach(({ inner }, index) => {
        const packet = packets[index] as Buffer;
        const carried = Buffer.from(inner as string, 'hex');
        let at = 0;
        if (shape === 'gre-tunnel') {
          expect(carried.readUInt16BE(2)).toBe(carried.length);
          expect(carried[9]).toBe(47);
          expect([...carried.subarray(12, 20)]).toEqual([10, 99, 0, 1, 10, 77, 0, 1]);
          at = 20;
        }
        if (gre) {
          expect(carried.readUInt16BE(at)).toBe(gre === GRE ? 0xb000 : 0);
          expect(carried.readUInt16BE(at + 2)).toBe(packet[0] === 0x45 ? 0x0800 : 0x86dd);
          if (gre === GRE) {
            expect(carried.readUInt32BE(at + 8)).toBe(0xfeedbeef);
            expect(carried.readUInt32BE(at + 12)).toBe(index);
          }
          at += gre === GRE ? 16 : 4;
        }
        expect(carried.subarray(at).toString('hex')).toBe(packet.toString('hex'));
      });
    }, 60_000);
  }
});
