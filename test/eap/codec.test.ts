// The formats of EAP: bytes from the standards, round trips, every truncation, dirty buffers, lengths that lie.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticatorResponseOf,
  decodeMsChallenge,
  decodeMsResponse,
  decodeMsText,
  encodeMsChallenge,
  encodeMsResponse,
  encodeMsText,
  failureOf,
} from '../../main/eap/mschapv2/message.ts';
import { decodeEap, type EapPacket, encodeEap } from '../../main/eap/packet.ts';
import { boundMsk, compoundKeys, compoundMac, innerSessionKey } from '../../main/eap/peap/binding.ts';
import {
  bindingTlv,
  decodeBinding,
  decodeTlvs,
  encodeTlvs,
  pack,
  resultTlv,
  TLV,
  unpack,
} from '../../main/eap/peap/tlv.ts';
import { decodeFrame, encodeFrame, MOST_MESSAGE, TlsCarrier } from '../../main/eap/tls/frame.ts';
import { decodeMd5, encodeMd5 } from '../../main/eap/token.ts';
import { decodeAvps, encodeAvps } from '../../main/eap/ttls/avp.ts';
import { isWireError } from '../../main/wire/error.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const data = fc.uint8Array({ maxLength: 60 });
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u8 = fc.nat(255);

/** Every beginning of `whole` but itself is refused, except for those that are whole values themselves. */
function refusesBeginnings(
  whole: Uint8Array,
  decode: (part: Uint8Array) => unknown,
  good: readonly number[] = [],
): void {
  for (let length = 0; length < whole.length; length++)
    if (!good.includes(length)) expect([length, isWireError(decode(whole.slice(0, length)))]).toEqual([length, true]);
}

describe('EAP packets', () => {
  // As strongSwan sent them in IKE_AUTH (RFC 3748 §5.1, §4.2): Identity request, Success.
  const REQUEST = bytes('01 00 00 05 01');
  const SUCCESS = bytes('03 f5 00 04');

  it('are read', () => {
    expect(decodeEap(REQUEST)).toEqual({ kind: 'request', identifier: 0, type: 1, data: new Uint8Array(0) });
    expect(decodeEap(SUCCESS)).toEqual({ kind: 'success', identifier: 0xf5 });
  });

  it('come back as they were', () => {
    const exchange = fc.record({
      kind: fc.constantFrom('request' as const, 'response' as const),
      identifier: u8,
      type: u8,
      data,
    });
    const end = fc.record({ kind: fc.constantFrom('success' as const, 'failure' as const), identifier: u8 });
    fc.assert(
      fc.property(fc.oneof<fc.Arbitrary<EapPacket>[]>(exchange, end), data, (packet, padding) => {
        const encoded = encodeEap(packet);
        expect(decodeEap(encoded)).toEqual(packet);
        // RFC 3748 §4.1: what lies behind Length is padding.
        expect(decodeEap(Uint8Array.from([...encoded, ...padding]))).toEqual(packet);
      }),
    );
  });

  it('are refused where they end too early or say what cannot be', () => {
    refusesBeginnings(encodeEap({ kind: 'request', identifier: 7, type: 4, data: bytes('01 02 03') }), decodeEap);
    for (const bad of [
      '00 01 00 05 01',
      '05 01 00 05 01',
      '01 01 00 04',
      '01 01 00 03 01',
      '03 01 00 05 00',
      '01 01 00 06 01',
    ])
      expect([bad, isWireError(decodeEap(bytes(bad)))]).toEqual([bad, true]);
  });
});

describe('EAP-TLS frames', () => {
  it('are those of RFC 5216 §3.1', () => {
    expect(hex(encodeFrame({ start: true, more: false, version: 0, length: undefined, data: bytes('') }))).toBe('20');
    expect(hex(encodeFrame({ start: false, more: true, version: 1, length: 0x1234, data: bytes('aa') }))).toBe(
      'c100001234aa',
    );
  });

  it('come back as they were, and end nowhere in their length', () => {
    const frame = fc.record({
      start: fc.boolean(),
      more: fc.boolean(),
      version: fc.nat(7),
      length: fc.option(fc.nat(0xffffffff), { nil: undefined }),
      data,
    });
    fc.assert(fc.property(frame, (value) => void expect(decodeFrame(encodeFrame(value))).toEqual(value)));
    refusesBeginnings(bytes('c0 00 00 00 05'), decodeFrame, [0]);
  });
});

describe('fragments', () => {
  /** Everything from one carrier to the other, with acknowledgements. */
  const carry = (message: Uint8Array, size: number): Uint8Array => {
    const from = new TlsCarrier(size, 0);
    const to = new TlsCarrier(size, 0);
    let packet = from.send(message);
    for (let rounds = 0; rounds < 100_000; rounds++) {
      expect(packet.length + 5).toBeLessThanOrEqual(size);
      const step = to.receive(packet);
      if (step.kind === 'message') return step.message;
      if (step.kind === 'malformed') throw new Error(step.text);
      const next = from.receive(step.data);
      if (next.kind !== 'reply') throw new Error(`acknowledged by ${next.kind}`);
      packet = next.data;
    }
    throw new Error('no end');
  };

  it('carry any message in any size', () => {
    const message = fc.uint8Array({ minLength: 1, maxLength: 3000 });
    fc.assert(
      fc.property(message, fc.integer({ min: 64, max: 1500 }), (value, size) => {
        expect(hex(carry(value, size))).toBe(hex(value));
      }),
      { numRuns: 60 },
    );
  });

  const frame = (more: boolean, length: number | undefined, value: Uint8Array): Uint8Array =>
    encodeFrame({ start: false, more, version: 0, length, data: value });

  it.each<[string, Uint8Array[]]>([
    ['an announced length beyond all reason', [frame(true, 0xffffffff, bytes('01'))]],
    ['one byte more than is held', [frame(true, MOST_MESSAGE + 1, bytes('01'))]],
    ['more than was announced', [frame(true, 3, bytes('01 02')), frame(false, undefined, bytes('03 04'))]],
    ['less than was announced', [frame(true, 9, bytes('01 02')), frame(false, undefined, bytes('03 04'))]],
    ['a single one that is shorter than it says', [frame(false, 5, bytes('01'))]],
    ['empty fragments without end', [frame(true, undefined, bytes('')), frame(true, undefined, bytes(''))]],
    ['a length that is cut off', [bytes('80 00 00')]],
  ])('are refused: %s', (_what, packets) => {
    const carrier = new TlsCarrier(1024, 0);
    expect(packets.map((packet) => carrier.receive(packet).kind).at(-1)).toBe('malformed');
  });

  it('are refused where they never end, before they fill the memory', () => {
    const carrier = new TlsCarrier(1024, 0);
    let held = 0;
    let kind = 'reply';
    for (; kind === 'reply' && held < 10 * MOST_MESSAGE; held += 1000)
      kind = carrier.receive(frame(true, undefined, new Uint8Array(1000))).kind;
    expect(kind).toBe('malformed');
    expect(held).toBeLessThanOrEqual(MOST_MESSAGE + 1000);
  });

  it('are acknowledged before the next leaves', () => {
    const carrier = new TlsCarrier(64, 0);
    carrier.send(new Uint8Array(500));
    expect(carrier.receive(frame(false, undefined, bytes('01'))).kind).toBe('malformed');
    expect(() => carrier.send(bytes('01'))).toThrow(RangeError);
    expect(() => new TlsCarrier(63, 0)).toThrow(RangeError);
  });
});

describe('AVPs', () => {
  // RFC 5281 §10.1, §11.2.5: User-Name "bob", User-Password "x" filled up to 16 bytes; a vendor's own.
  const NAME = bytes('00000001 40 00000b 626f62 00');
  const MICROSOFT = bytes('00000019 c0 00000e 00000137 aabb 0000');

  it('are those of RFC 5281', () => {
    const name = { code: 1, vendor: 0, mandatory: true, data: Buffer.from('bob') };
    const vendor = { code: 25, vendor: 311, mandatory: true, data: bytes('aabb') };
    expect(hex(encodeAvps([name, vendor]))).toBe(hex(NAME) + hex(MICROSOFT));
    expect(decodeAvps(Uint8Array.from([...NAME, ...MICROSOFT]))).toEqual([
      { ...name, data: Uint8Array.from(name.data) },
      vendor,
    ]);
  });

  it('come back as they were', () => {
    const avp = fc.record({ code: fc.nat(0xffffffff), vendor: fc.nat(0xffffffff), mandatory: fc.boolean(), data });
    fc.assert(
      fc.property(fc.array(avp, { maxLength: 5 }), (values) => {
        expect(decodeAvps(encodeAvps(values))).toEqual(values);
      }),
    );
  });

  it('are refused where they end too early, or are shorter than their header', () => {
    // The padding of the last one may be missing.
    refusesBeginnings(NAME, decodeAvps, [0, 11]);
    refusesBeginnings(MICROSOFT, decodeAvps, [0, 14, 15]);
    for (const bad of ['00000001 40 000007', '00000001 c0 00000b 00000137', '00000001 40 ffffff 00'])
      expect([bad, isWireError(decodeAvps(bytes(bad)))]).toEqual([bad, true]);
  });
});

describe('PEAP TLVs', () => {
  // MS-PEAP §2.2.8.1: Result, success.
  const RESULT = bytes('8003 0002 0001');

  it('are those of MS-PEAP', () => {
    expect(hex(encodeTlvs([resultTlv(1)]))).toBe(hex(RESULT));
    expect(decodeTlvs(RESULT)).toEqual([{ type: TLV.result, mandatory: true, value: bytes('0001') }]);
    refusesBeginnings(RESULT, decodeTlvs, [0]);
  });

  it('of cryptobinding come back as they were', () => {
    const binding = fc.record({
      version: u8,
      receivedVersion: u8,
      subtype: fc.constantFrom('request' as const, 'response' as const),
      nonce: exactly(32),
      mac: exactly(20),
    });
    fc.assert(
      fc.property(binding, (value) => {
        const tlv = bindingTlv(value);
        expect(tlv.value).toHaveLength(56);
        expect(decodeBinding(tlv.value)).toEqual(value);
      }),
    );
    refusesBeginnings(new Uint8Array(56), decodeBinding);
    expect(isWireError(decodeBinding(new Uint8Array(57)))).toBe(true);
  });

  it('and packets inside go without their header, but for extensions', () => {
    const around = { kind: 'request', identifier: 9 } as const;
    const inner = encodeEap({ ...around, type: 26, data: bytes('01 02') });
    expect(hex(pack(inner))).toBe('1a0102');
    expect(unpack(pack(inner), around)).toEqual({ packet: inner, whole: false });
    const whole = encodeEap({ ...around, type: 33, data: RESULT });
    expect(unpack(pack(whole), around)).toEqual({ packet: whole, whole: true });
    // FreeRADIUS sends the first identity request whole.
    expect(unpack(bytes('01 05 00 05 01'), around)).toEqual({ packet: bytes('01 05 00 05 01'), whole: true });
    expect(isWireError(decodeEap(unpack(bytes(''), around).packet))).toBe(false);
  });
});

describe('PEAP cryptobinding', () => {
  it('takes the first half of the inner key as it is', () => {
    // hostapd refuses the halves of MSCHAPv2's the other way round.
    const msk = Uint8Array.from({ length: 64 }, (_, i) => i);
    expect(hex(innerSessionKey(msk))).toBe(hex(msk.subarray(0, 32)));
    expect(hex(innerSessionKey(undefined))).toBe('00'.repeat(32));
  });

  it('makes 60 bytes of keys and 64 of MSK that depend on both sides', () => {
    const tunnel = new Uint8Array(128).fill(1);
    const one = compoundKeys(tunnel, innerSessionKey(undefined));
    const other = compoundKeys(tunnel, innerSessionKey(new Uint8Array(64).fill(2)));
    expect([one.ipmk.length, one.cmk.length, boundMsk(one.ipmk).length]).toEqual([40, 20, 64]);
    expect(hex(one.cmk)).not.toBe(hex(other.cmk));
    expect(hex(boundMsk(one.ipmk))).not.toBe(hex(boundMsk(other.ipmk)));
    // Only the first 40 bytes of the tunnel's key count (MS-PEAP §3.1.5.5.2.2).
    const later = Uint8Array.from(tunnel).fill(9, 40);
    expect(hex(compoundKeys(later, innerSessionKey(undefined)).cmk)).toBe(hex(one.cmk));
    const binding = { version: 0, receivedVersion: 0, subtype: 'request', nonce: new Uint8Array(32) } as const;
    expect(compoundMac(one.cmk, binding)).toHaveLength(20);
    expect(hex(compoundMac(one.cmk, binding))).not.toBe(hex(compoundMac(one.cmk, { ...binding, subtype: 'response' })));
  });
});

describe('MSCHAPv2 packets', () => {
  it('come back as they were, and are refused at every other length', () => {
    const challenge = { id: 5, challenge: new Uint8Array(16).fill(7), name: bytes('67 77') };
    const encoded = encodeMsChallenge(challenge);
    expect(hex(encoded)).toBe(`0105001710${'07'.repeat(16)}6777`);
    expect(decodeMsChallenge(encoded)).toEqual(challenge);
    refusesBeginnings(encoded, decodeMsChallenge);
    const response = {
      id: 5,
      peerChallenge: new Uint8Array(16).fill(1),
      ntResponse: new Uint8Array(24).fill(2),
      name: bytes('61'),
    };
    const answered = encodeMsResponse(response);
    expect(hex(answered)).toBe(`0205003731${'01'.repeat(16)}${'00'.repeat(8)}${'02'.repeat(24)}0061`);
    expect(decodeMsResponse(answered)).toEqual(response);
    refusesBeginnings(answered, decodeMsResponse);
    const text = encodeMsText('success', 5, 'S=00 M=hi');
    expect(decodeMsText('success', text)).toEqual({ id: 5, text: 'S=00 M=hi' });
    refusesBeginnings(text, (part) => decodeMsText('success', part));
    expect(isWireError(decodeMsText('failure', text))).toBe(true);
    expect(isWireError(decodeMsChallenge(Uint8Array.from([...encoded, 0])))).toBe(true);
  });

  it('say in words what RFC 2759 §5 and §6 have', () => {
    expect(hex(authenticatorResponseOf('S=407A5589115FD0D6209F510FE9C04566932CDA56 M=OK')!)).toBe(
      '407a5589115fd0d6209f510fe9c04566932cda56',
    );
    expect(authenticatorResponseOf('S=407A M=OK')).toBeUndefined();
    expect(authenticatorResponseOf('xS=407A5589115FD0D6209F510FE9C04566932CDA56')).toBeUndefined();
    expect(failureOf('E=0000000691 R=1 C=000102030405060708090a0b0c0d0e0f V=3 M=no E=1 R=0')).toEqual({
      error: 691,
      retry: true,
      challenge: bytes('000102030405060708090a0b0c0d0e0f'),
      message: 'no E=1 R=0',
    });
    expect(failureOf('E=648 R=0')).toEqual({ error: 648, retry: false, challenge: undefined, message: '' });
    expect(failureOf('')).toEqual({ error: 0, retry: false, challenge: undefined, message: '' });
  });
});

describe('EAP-MD5 values', () => {
  it('come back as they were', () => {
    expect(hex(encodeMd5(bytes('0102'), bytes('61')))).toBe('02010261');
    expect(decodeMd5(bytes('02 01 02 61'))).toEqual({ value: bytes('0102'), name: bytes('61') });
    refusesBeginnings(bytes('02 01 02'), decodeMd5);
  });
});
