// IKE fragmentation (RFC 7383): cutting up, putting together, and what a hostile or merely unlucky network makes of it.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseProposal } from '../../main/crypto/proposal.ts';
import { ikeSuite } from '../../main/crypto/suite.ts';
import { DATAGRAM_SIZES, DatagramSize, Reassembly, type Sealed, sealInPieces } from '../../main/ike/fragment.ts';
import { Exchange, encodeMessage, fragmentOf, HEADER_BYTES, type Header } from '../../main/ike/message.ts';
import type { Payload } from '../../main/ike/payload/payload.ts';
import { Protection } from '../../main/ike/protection.ts';
import { checkMessage } from '../../main/ike/rules.ts';
import { contentOf, intAuthOctets, OpenError, openContent, openMessage, sealContent } from '../../main/ike/sealed.ts';
import { isWireError } from '../../main/wire/error.ts';
import { hex, toHex } from '../crypto/hex.ts';
import { seeded } from '../crypto/seeded.ts';
import { seededNumbers } from '../sim/random.ts';
import { protectionFrom, RECORDED } from './recorded.ts';

const header: Header = {
  SPIi: 0x1122n,
  SPIr: 0x3344n,
  exchange: Exchange.IKE_AUTH,
  initiator: true,
  response: false,
  messageId: 1,
};
const OVERHEAD = 32;
const payloadsOf = (bytes: number): Payload[] => [
  { kind: 'vendor', data: Uint8Array.from({ length: bytes >> 1 }, (_, i) => i * 7) },
  { kind: 'nonce', data: Uint8Array.from({ length: 32 }, (_, i) => i) },
  { kind: 'vendor', data: Uint8Array.from({ length: bytes - (bytes >> 1) }, (_, i) => i * 3) },
];

interface Fragments {
  readonly proposal: string;
  readonly contents: string;
  readonly keys: { readonly SK_er: string; readonly SK_ar?: string };
  readonly fragments: readonly string[];
}
const FRAGMENTS: readonly Fragments[] = JSON.parse(
  readFileSync(new URL('../vectors/ike-fragments.json', import.meta.url), 'utf8'),
);
const NAMES: Readonly<Record<string, string>> = {
  idr: 'IDr',
  auth: 'AUTH',
  cp: 'CP',
  sa: 'SA',
  tsi: 'TSi',
  tsr: 'TSr',
};

describe.each(FRAGMENTS)('recorded from strongSwan with $proposal', ({ proposal, contents, keys, fragments }) => {
  const suite = ikeSuite(parseProposal(proposal, 'ike'));
  const protection = new Protection(suite.encr, suite.integ, hex(keys.SK_er), hex(keys.SK_ar ?? ''));
  const datagrams = fragments.map(hex);
  const open = (reassembly: Reassembly, bytes: Uint8Array) => reassembly.open(bytes, fragmentOf(bytes)!, protection, 0);

  test('come together, in either order', () => {
    for (const order of [datagrams, [...datagrams].reverse()]) {
      const reassembly = new Reassembly();
      const got = order.map((bytes) => open(reassembly, bytes)).at(-1)!;
      if (isWireError(got) || isWireError(got.message)) throw new Error('not put together');
      const { header: read, payloads } = got.message;
      expect(payloads.map(({ kind }) => NAMES[kind]).join(' ')).toBe(contents);
      expect(read).toMatchObject({ exchange: Exchange.IKE_AUTH, response: true, initiator: false, messageId: 1 });
      expect(checkMessage(got.message)).toBeUndefined();
      expect(got.first).toEqual(datagrams[0]);
    }
  });

  test('are what we write of the same content, byte for byte where nothing is padded at random', () => {
    for (const bytes of datagrams) {
      const opened = openContent(bytes, protection);
      if (isWireError(opened)) throw new Error(opened.toString());
      const iv = bytes.slice(36, 36 + suite.encr.ivBytes);
      const again = sealContent(opened.header, opened.content, protection, iv, opened.fragment);
      if (suite.encr.aead) expect(toHex(again)).toBe(toHex(bytes));
      else expect(openContent(again, protection)).toEqual(opened);
    }
  });

  test('no byte may be missing', () => {
    for (const bytes of datagrams)
      for (let length = 0; length < bytes.length; length++)
        expect(openContent(bytes.subarray(0, length), protection)).toMatchObject({ authentic: false });
  });
});

describe.each(RECORDED)('with $selected', (recorded) => {
  const protection = protectionFrom(recorded, true);
  const seal = (payloads: readonly Payload[], sizes: readonly number[] = DATAGRAM_SIZES, of = header): Sealed =>
    sealInPieces({
      header: of,
      content: contentOf(payloads),
      protection,
      random: seeded(1),
      size: new DatagramSize(sizes),
      overhead: OVERHEAD,
    });
  const put = (reassembly: Reassembly, bytes: Uint8Array, now = 0) => {
    const fragment = fragmentOf(bytes);
    if (!fragment) throw new Error('not a fragment');
    const got = reassembly.open(bytes, fragment, protection, now);
    return isWireError(got) ? got : got.message;
  };

  test('every length comes back as it went, in as few datagrams as fit and none too large', () => {
    for (let bytes = 0; bytes < 1400; bytes += 13) {
      const payloads = payloadsOf(bytes);
      const { datagrams } = seal(payloads, [300]);
      for (const one of datagrams) expect(one.length + OVERHEAD).toBeLessThanOrEqual(300);
      if (datagrams.length === 1) {
        expect(openMessage(datagrams[0]!, protection)).toEqual({ header, payloads, protected: true });
        continue;
      }
      // All but the last are as full as whole blocks allow.
      for (const one of datagrams.slice(0, -1))
        expect(one.length + OVERHEAD).toBeGreaterThan(300 - recorded.suite.encr.blockBytes);
      const reassembly = new Reassembly();
      const got = datagrams.map((one) => put(reassembly, one));
      expect(got.slice(0, -1).every((one) => one instanceof OpenError && !one.authentic)).toBe(true);
      expect(got.at(-1)).toEqual({ header, payloads, protected: true });
      expect(reassembly.bytes).toBe(0);
    }
  });

  test('the header is the message’s own, only the first fragment names a payload (RFC 7383 §2.5)', () => {
    const { datagrams } = seal(payloadsOf(2000), [576]);
    expect(datagrams.length).toBeGreaterThan(3);
    datagrams.forEach((bytes, i) => {
      expect(toHex(bytes.subarray(0, 16))).toBe('00000000000011220000000000003344');
      expect([bytes[16], bytes[18], bytes[19], bytes[23]]).toEqual([53, 35, 0x08, 1]);
      expect(bytes[HEADER_BYTES]).toBe(i === 0 ? 43 : 0);
      expect(fragmentOf(bytes)).toEqual({ number: i + 1, total: datagrams.length });
    });
  });

  test('no IV is used twice', () => {
    const { datagrams } = seal(payloadsOf(4000), [300]);
    const ivs = datagrams.map((bytes) => toHex(bytes.subarray(36, 36 + recorded.suite.encr.ivBytes)));
    expect(new Set(ivs).size).toBe(datagrams.length);
  });

  test('in any order, each doubled', () => {
    const numbers = seededNumbers(7);
    const payloads = payloadsOf(2000);
    for (let i = 0; i < 20; i++) {
      const reassembly = new Reassembly();
      const shuffled = seal(payloads, [400])
        .datagrams.map((one) => [numbers(), one] as const)
        .sort(([a], [b]) => a - b)
        .flatMap(([, one]) => [one, one]);
      const whole = shuffled.map((one) => put(reassembly, one)).filter((got) => !isWireError(got));
      // The last one's double begins the next set; it is one piece, and stays one.
      expect(whole).toEqual([{ header, payloads, protected: true }]);
    }
  });

  test('smaller pieces have a greater total, and begin reassembly anew (RFC 7383 §2.5.2, §2.6)', () => {
    const payloads = payloadsOf(2000);
    const large = seal(payloads);
    const small = large.smaller()!;
    expect(small.datagrams.length).toBeGreaterThan(large.datagrams.length);
    expect(small.smaller()).toBeUndefined();
    const reassembly = new Reassembly();
    put(reassembly, large.datagrams[0]!);
    const first = put(reassembly, small.datagrams[0]!);
    expect(first).toBeInstanceOf(OpenError);
    // Pieces of the old cut are no longer taken, though they are authentic.
    expect(String(put(reassembly, large.datagrams[1]!))).toContain(`a fragment of ${small.datagrams.length}`);
    const got = small.datagrams.slice(1).map((one) => put(reassembly, one));
    expect(got.at(-1)).toEqual({ header, payloads, protected: true });
  });

  test('a whole message is cut up too where it may have been too large', () => {
    const sealed = seal(payloadsOf(700));
    expect(fragmentOf(sealed.datagrams[0]!)).toBeUndefined();
    expect(sealed.smaller()!.datagrams.length).toBe(2);
    expect(seal(payloadsOf(100)).smaller()).toBeUndefined();
  });

  test('sizes that would not make more pieces are left out', () => {
    const sealed = seal(payloadsOf(1000), [1000, 990, 980, 400]);
    expect(sealed.datagrams.length).toBe(2);
    expect(sealed.smaller()!.datagrams.length).toBeGreaterThan(2);
  });

  test('what AUTH covers of an IKE_INTERMEDIATE does not depend on the pieces (RFC 9242 §3.3.2)', () => {
    const of = { ...header, exchange: Exchange.IKE_INTERMEDIATE };
    const payloads = payloadsOf(1800);
    const expected = toHex(intAuthOctets(of, payloads));
    for (const sizes of [[3000], [1280], [300]]) {
      const reassembly = new Reassembly();
      const { datagrams } = seal(payloads, sizes, of);
      const got = datagrams.length === 1 ? openMessage(datagrams[0]!, protection) : undefined;
      const message = got ?? datagrams.map((one) => put(reassembly, one)).at(-1);
      if (!message || isWireError(message)) throw new Error('not put together');
      expect(toHex(message.intAuth!)).toBe(expected);
    }
  });

  test('a flipped bit anywhere in a fragment is noticed and nothing is kept', () => {
    const [first] = seal(payloadsOf(300), [300]).datagrams;
    const reassembly = new Reassembly();
    for (let bit = 0; bit < first!.length * 8; bit += 3) {
      const bad = Uint8Array.from(first!);
      bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
      const fragment = fragmentOf(bad);
      if (fragment) expect(put(reassembly, bad)).toMatchObject({ authentic: false });
      else expect(openMessage(bad, protection)).toMatchObject({ authentic: false });
    }
    expect(reassembly.bytes).toBe(0);
  });

  test('truncated at every length, its length field corrected: never a fragment that verifies', () => {
    const [first] = seal(payloadsOf(300), [300]).datagrams;
    for (let length = HEADER_BYTES; length < first!.length; length++) {
      const cut = first!.slice(0, length);
      new DataView(cut.buffer).setUint32(24, length);
      if (length >= HEADER_BYTES + 4) new DataView(cut.buffer).setUint16(HEADER_BYTES + 2, length - HEADER_BYTES);
      expect(openContent(cut, protection)).toMatchObject({ authentic: false });
    }
  });

  test('authentic fragments whose whole makes no sense say so', () => {
    const reassembly = new Reassembly();
    const nonsense = Uint8Array.from({ length: 40 }, () => 0xff);
    const send = (number: number, bytes: Uint8Array) =>
      put(reassembly, sealContent(header, { first: 43, bytes }, protection, seeded(number), { number, total: 2 }));
    send(2, nonsense);
    expect(send(1, nonsense)).toMatchObject({ authentic: true, header });
  });
});

describe('memory', () => {
  const recorded = RECORDED[0]!;
  const protection = protectionFrom(recorded, true);
  const fragment = (number: number, total: number, messageId: number, bytes = 400): Uint8Array =>
    sealContent(
      { ...header, messageId },
      { first: number === 1 ? 43 : 0, bytes: new Uint8Array(bytes) },
      protection,
      seeded(1),
      {
        number,
        total,
      },
    );
  const open = (reassembly: Reassembly, bytes: Uint8Array, now = 0) =>
    reassembly.open(bytes, fragmentOf(bytes)!, protection, now);

  test('a flood of forged fragments takes none, evicts nothing, and the message still arrives', () => {
    const reassembly = new Reassembly();
    open(reassembly, fragment(1, 3, 1));
    const kept = reassembly.bytes;
    const numbers = seededNumbers(3);
    for (let i = 0; i < 3000; i++) {
      const body = Uint8Array.from({ length: 120 }, () => Math.floor(numbers() * 256));
      const total = 2 + Math.floor(numbers() * 1000);
      const number = 1 + Math.floor(numbers() * total);
      // Half of them for the very message that is being put together.
      const messageId = numbers() < 0.5 ? 1 : Math.floor(numbers() * 1000);
      open(reassembly, encodeMessage({ ...header, messageId }, [{ kind: 'fragment', number, total, body }]));
    }
    expect(reassembly.bytes).toBe(kept);
    open(reassembly, fragment(3, 3, 1));
    // The content is 1,200 zeros: a chain that ends at once and goes on, so authentic nonsense. It did come together.
    const got = open(reassembly, fragment(2, 3, 1));
    expect(isWireError(got)).toBe(false);
  });

  test('even the holder of the keys cannot make us keep more than a few messages of 64 KiB', () => {
    const reassembly = new Reassembly();
    for (let messageId = 0; messageId < 12; messageId++)
      for (let number = 1; number < 60; number++) open(reassembly, fragment(number, 200, messageId, 1200));
    expect(reassembly.bytes).toBeLessThanOrEqual(4 * 64 * 1024);
    expect(isWireError(open(reassembly, fragment(1, 1025, 99)))).toBe(true);
  });

  test('an incomplete message is forgotten after a while (RFC 7383 §2.6)', () => {
    const reassembly = new Reassembly();
    open(reassembly, fragment(1, 3, 1), 0);
    open(reassembly, fragment(2, 3, 1), 30_000);
    open(reassembly, fragment(1, 3, 2), 89_999);
    expect(reassembly.bytes).toBe(1200);
    open(reassembly, fragment(2, 3, 2), 90_001);
    expect(reassembly.bytes).toBe(800);
  });

  test('fragment numbers of zero, or beyond the total, are no fragments', () => {
    for (const [number, total] of [
      [0, 2],
      [3, 2],
      [0, 0],
      [1, 0],
    ] as const) {
      const bytes = fragment(1, 2, 1);
      new DataView(bytes.buffer).setUint16(32, number);
      new DataView(bytes.buffer).setUint16(34, total);
      expect(fragmentOf(bytes)).toBeUndefined();
      expect(openContent(bytes, protection)).toMatchObject({ authentic: false });
    }
  });
});
