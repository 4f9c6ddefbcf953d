import { describe, expect, test } from 'vitest';
import { CHACHA20_POLY1305 } from '../../main/crypto/encr.ts';
import {
  decodeHeader,
  decodeMessage,
  Exchange,
  encodeMessage,
  exchangeName,
  HEADER_BYTES,
  type Header,
  type Message,
} from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { type Payload, payloadOf } from '../../main/ike/payload/payload.ts';
import { Protection } from '../../main/ike/protection.ts';
import { checkMessage } from '../../main/ike/rules.ts';
import { OpenError, openMessage, sealMessage } from '../../main/ike/sealed.ts';
import { isWireError, type WireError } from '../../main/wire/error.ts';
import { hex, toHex } from '../crypto/hex.ts';
import { seeded } from '../crypto/seeded.ts';
import { protectionFrom, RECORDED, read } from './recorded.ts';

const header: Header = {
  SPIi: 0xc0c1c2c3c4c5c6c7n,
  SPIr: 0xd0d1d2d3d4d5d6d7n,
  exchange: Exchange.INFORMATIONAL,
  initiator: false,
  response: false,
  messageId: 9,
};
const setWindowSize: Payload = {
  kind: 'notify',
  protocol: 0,
  spi: new Uint8Array(0),
  type: NotifyType.SET_WINDOW_SIZE,
  data: hex('0000000a'),
};

const codeOf = (value: unknown): string => (isWireError(value) ? value.code : 'no error');
const errorOf = (value: Message | WireError): WireError => {
  if (!isWireError(value)) throw new Error('no error');
  return value;
};

describe('RFC 7634 Appendix B', () => {
  const protection = new Protection(
    CHACHA20_POLY1305,
    undefined,
    hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3'),
    new Uint8Array(0),
  );
  // The example sends flags 0 and no initiator bit.
  const bytes = hex(`c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029
                     10111213141516176103 94701f8d017f7c129248896b71bfe25236efd7cdc670669063 15b2`);

  test('is what sealMessage writes', () => {
    expect(toHex(sealMessage(header, [setWindowSize], protection, hex('1011121314151617')))).toBe(toHex(bytes));
  });

  test('is what openMessage reads', () => {
    expect(openMessage(bytes, protection)).toEqual({ header, payloads: [setWindowSize], protected: true });
  });

  test('stays shut to decodeMessage', () => {
    const message = decodeMessage(bytes);
    expect(isWireError(message) || message.payloads.map(({ kind }) => kind)).toEqual(['encrypted']);
  });
});

/** charon's abbreviations. */
const NOTIFIES: Readonly<Record<number, string>> = {
  [NotifyType.NAT_DETECTION_SOURCE_IP]: 'NATD_S_IP',
  [NotifyType.NAT_DETECTION_DESTINATION_IP]: 'NATD_D_IP',
  [NotifyType.IKEV2_FRAGMENTATION_SUPPORTED]: 'FRAG_SUP',
  [NotifyType.SIGNATURE_HASH_ALGORITHMS]: 'HASH_ALG',
  [NotifyType.REDIRECT_SUPPORTED]: 'REDIR_SUP',
  [NotifyType.CHILDLESS_IKEV2_SUPPORTED]: 'CHDLESS_SUP',
  [NotifyType.MULTIPLE_AUTH_SUPPORTED]: 'MULT_AUTH',
  [NotifyType.INITIAL_CONTACT]: 'INIT_CONTACT',
  [NotifyType.MOBIKE_SUPPORTED]: 'MOBIKE_SUP',
  [NotifyType.NO_ADDITIONAL_ADDRESSES]: 'NO_ADD_ADDR',
  [NotifyType.EAP_ONLY_AUTHENTICATION]: 'EAP_ONLY',
  [NotifyType.IKEV2_MESSAGE_ID_SYNC_SUPPORTED]: 'MSG_ID_SYN_SUP',
  [NotifyType.REKEY_SA]: 'REKEY_SA',
};
const ATTRIBUTES: Readonly<Record<number, string>> = { 1: 'ADDR', 3: 'DNS', 13: 'SUBNET' };

function abbreviation(payload: Payload): string {
  switch (payload.kind) {
    case 'sa':
      return 'SA';
    case 'ke':
      return 'KE';
    case 'nonce':
      return 'No';
    case 'idi':
      return 'IDi';
    case 'idr':
      return 'IDr';
    case 'auth':
      return 'AUTH';
    case 'tsi':
      return 'TSi';
    case 'tsr':
      return 'TSr';
    case 'delete':
      return 'D';
    case 'notify':
      return `N(${NOTIFIES[payload.type] ?? payload.type})`;
    case 'cp':
      return `CP${payload.type === 'request' ? 'RQ' : 'RP'}(${payload.attributes.map(({ type }) => ATTRIBUTES[type]).join(' ')})`;
    default:
      return payload.kind;
  }
}

function summary({ header: { exchange, response, messageId }, payloads }: Message): string {
  const words = ['[', ...payloads.map(abbreviation), ']'].join(' ');
  return `${exchangeName(exchange)} ${response ? 'response' : 'request'} ${messageId} ${words}`;
}

describe.each(RECORDED)('strongSwan with $selected', (recorded) => {
  const indexed = recorded.messages.map(({ contents, bytes }, index) => ({ contents, bytes, index }));

  test.each(indexed)('$contents', ({ contents, bytes, index }) => {
    const message = read(recorded, index);
    expect(summary(message)).toBe(contents);
    expect(checkMessage(message)).toBeUndefined();
    expect(message.header.initiator).toBe(index % 2 === 0);
    expect(message.protected).toBe(index >= 2);

    // Back to the same bytes; strongSwan pads CBC with random bytes, so there the length and the contents.
    if (index < 2) return expect(toHex(encodeMessage(message.header, message.payloads))).toBe(toHex(bytes));
    const protection = protectionFrom(recorded, index % 2 === 0);
    const iv = bytes.slice(HEADER_BYTES + 4, HEADER_BYTES + 4 + recorded.suite.encr.ivBytes);
    const again = sealMessage(message.header, message.payloads, protection, iv);
    if (recorded.suite.encr.aead) return expect(toHex(again)).toBe(toHex(bytes));
    expect(again).toHaveLength(bytes.length);
    expect(openMessage(again, protection)).toEqual(message);
  });

  test('payloads hold what was configured', () => {
    const request = read(recorded, 2).payloads;
    const response = read(recorded, 3).payloads;
    expect(payloadOf(request, 'idi')?.identity).toEqual({ type: 'fqdn', text: 'a.example.com' });
    expect(payloadOf(response, 'idr')?.identity).toEqual({ type: 'fqdn', text: 'b.example.com' });
    expect(payloadOf(request, 'cp')).toMatchObject({ type: 'request' });
    expect(payloadOf(response, 'cp')?.attributes).toContainEqual({ type: 1, value: hex('0a580001') });
    expect(payloadOf(response, 'tsr')?.selectors).toEqual([
      { protocol: 47, startPort: 0, endPort: 65535, start: hex('0a4d0001'), end: hex('0a4d0001') },
      {
        protocol: 0,
        startPort: 0,
        endPort: 65535,
        start: hex('fd77000000000000 0000000000000000'),
        end: hex('fd77000000000000 ffffffffffffffff'),
      },
    ]);
    expect(payloadOf(response, 'tsi')?.selectors[0]?.start).toEqual(hex('0a580001'));
    expect(payloadOf(request, 'auth')).toMatchObject({ method: 2 });
  });

  test('the other direction has other keys', () => {
    for (const { bytes, index } of indexed.slice(2)) {
      const error = openMessage(bytes, protectionFrom(recorded, index % 2 !== 0));
      expect(error).toBeInstanceOf(OpenError);
      expect(error).toMatchObject({ code: 'integrity', authentic: false });
    }
  });

  test('no byte may be missing', () => {
    for (const { bytes, index } of indexed)
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        expect(isWireError(decodeMessage(cut))).toBe(true);
        expect(openMessage(cut, protectionFrom(recorded, index % 2 === 0))).toMatchObject({ authentic: false });
      }
  });

  test('no byte may be missing even where the header says so', () => {
    for (const { bytes, index } of indexed)
      for (let length = HEADER_BYTES + 1; length < bytes.length; length++) {
        const cut = bytes.slice(0, length);
        new DataView(cut.buffer).setUint32(24, length);
        if (index < 2) expect(isWireError(decodeMessage(cut))).toBe(true);
        expect(openMessage(cut, protectionFrom(recorded, index % 2 === 0))).toMatchObject({ authentic: false });
      }
  });

  test('no bit of a sealed message may be flipped', () => {
    const { bytes } = recorded.messages[4]!;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = bytes.slice();
      bad[bit >> 3] = bad[bit >> 3]! ^ (1 << (bit & 7));
      expect(openMessage(bad, protectionFrom(recorded, true))).toMatchObject({ authentic: false });
    }
  });
});

describe('the header', () => {
  const bytes = encodeMessage(header, [setWindowSize]);
  const changed = (offset: number, ...values: number[]): Uint8Array => {
    const copy = bytes.slice();
    copy.set(values, offset);
    return copy;
  };

  test('decodes', () => {
    expect(decodeHeader(bytes)).toEqual(header);
    for (const initiator of [false, true])
      for (const response of [false, true])
        expect(decodeHeader(encodeMessage({ ...header, initiator, response }, []))).toEqual({
          ...header,
          initiator,
          response,
        });
  });

  test('of a higher major version, another length or an unknown exchange is refused with its own code', () => {
    expect(codeOf(decodeHeader(changed(17, 0x30)))).toBe('version');
    expect(codeOf(decodeHeader(changed(17, 0x10)))).toBe('version');
    expect(codeOf(decodeHeader(changed(24, 0, 0, 1)))).toBe('length');
    expect(codeOf(decodeHeader(changed(27, bytes.length - 1)))).toBe('length');
    expect(codeOf(decodeHeader(changed(27, bytes.length + 1)))).toBe('length');
    expect(codeOf(decodeHeader(changed(18, 33)))).toBe('value');
    expect(codeOf(decodeHeader(bytes.subarray(0, 27)))).toBe('truncated');
    expect(codeOf(decodeHeader(new Uint8Array(0)))).toBe('truncated');
  });

  test('of a higher minor version, or with unknown flags, is taken (RFC 7296 §2.5, §3.1)', () => {
    expect(decodeHeader(changed(17, 0x25))).toEqual(header);
    expect(decodeHeader(changed(19, 0xd7 & ~0x28))).toEqual(header);
  });

  test('does not take what does not fit', () => {
    expect(() => encodeMessage({ ...header, messageId: 2 ** 32 }, [])).toThrow(RangeError);
    expect(() => encodeMessage({ ...header, SPIi: 1n << 64n }, [])).toThrow(RangeError);
    expect(() => encodeMessage({ ...header, SPIr: -1n }, [])).toThrow(RangeError);
  });
});

describe('the chain of payloads', () => {
  const nonce: Payload = { kind: 'nonce', data: new Uint8Array(16) };
  const unknown: Payload = { kind: 'unknown', type: 200, critical: true, data: hex('010203') };

  test('keeps unknown payloads and their critical bit', () => {
    for (const critical of [false, true]) {
      const payloads = [nonce, { ...unknown, critical }, setWindowSize];
      expect(decodeMessage(encodeMessage(header, payloads))).toEqual({ header, payloads, protected: false });
    }
  });

  test('ignores the critical bit of known payloads, and reserved bits (RFC 7296 §3.2)', () => {
    const bytes = encodeMessage(header, [nonce]);
    bytes[HEADER_BYTES + 1] = 0xff;
    expect(decodeMessage(bytes)).toMatchObject({ payloads: [nonce] });
  });

  test('may be empty', () => {
    expect(decodeMessage(encodeMessage(header, []))).toMatchObject({ payloads: [] });
  });

  test('may not go on behind the last payload, nor end before it', () => {
    const bytes = encodeMessage(header, [nonce, setWindowSize]);
    const early = bytes.slice();
    early[HEADER_BYTES] = 0;
    expect(errorOf(decodeMessage(early))).toMatchObject({ code: 'length', offset: HEADER_BYTES + 20 });
    const late = bytes.slice();
    late[HEADER_BYTES + 20] = 43;
    expect(errorOf(decodeMessage(late))).toMatchObject({ code: 'truncated', offset: bytes.length });
  });

  test('payload lengths of 0 to 3, and beyond the end, are refused', () => {
    const bytes = encodeMessage(header, [{ kind: 'vendor', data: new Uint8Array(10) }]);
    const view = new DataView(bytes.buffer);
    for (const length of [0, 1, 2, 3, 15, 65535]) {
      view.setUint16(HEADER_BYTES + 2, length);
      expect(isWireError(decodeMessage(bytes))).toBe(true);
    }
  });

  test('nothing may follow an Encrypted payload', () => {
    const bytes = encodeMessage(header, [{ kind: 'encrypted', body: new Uint8Array(40) }, nonce]);
    expect(codeOf(decodeMessage(bytes))).toBe('length');
  });

  test('a payload over 64 KiB cannot be written', () => {
    expect(() => encodeMessage(header, [{ kind: 'vendor', data: new Uint8Array(65532) }])).toThrow(RangeError);
  });

  test('the result does not follow the input buffer', () => {
    const bytes = encodeMessage(header, [setWindowSize]);
    const message = decodeMessage(bytes);
    bytes.fill(0xff);
    expect(message).toMatchObject({ payloads: [setWindowSize] });
  });
});

describe.each(RECORDED)('sealing with $selected', (recorded) => {
  const payloads: Payload[] = [setWindowSize];

  test('never uses an IV twice', () => {
    const protection = protectionFrom(recorded, true);
    const random = seeded(1);
    const ivs = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const bytes = sealMessage({ ...header, messageId: i }, payloads, protection, random);
      ivs.add(toHex(bytes.subarray(32, 32 + recorded.suite.encr.ivBytes)));
      expect(openMessage(bytes, protection)).toMatchObject({ payloads });
    }
    expect(ivs.size).toBe(300);
  });

  test('pads to whole blocks at every length', () => {
    const protection = protectionFrom(recorded, true);
    for (let length = 0; length < 70; length++) {
      const vendor: Payload = { kind: 'vendor', data: new Uint8Array(length).fill(length) };
      const bytes = sealMessage(header, [vendor], protection, seeded(length));
      const { ivBytes, blockBytes } = recorded.suite.encr;
      expect((bytes.length - 32 - ivBytes - protection.icvBytes) % blockBytes).toBe(0);
      expect(openMessage(bytes, protection)).toMatchObject({ payloads: [vendor] });
    }
  });

  test('an empty message, as liveness checks send it', () => {
    const protection = protectionFrom(recorded, true);
    const bytes = sealMessage(header, [], protection, seeded(1));
    expect(openMessage(bytes, protection)).toEqual({ header, payloads: [], protected: true });
  });

  test('authentic but malformed insides say so (RFC 7296 §2.21.3)', () => {
    const protection = protectionFrom(recorded, true);
    const { encr, integ } = recorded.suite;
    // Seals `plaintext` as it is, announcing a payload of type `first`.
    const seal = (first: number, plaintext: Uint8Array): Uint8Array => {
      const body = encr.ivBytes + plaintext.length + protection.icvBytes;
      const bytes = encodeMessage(header, [{ kind: 'encrypted', body: new Uint8Array(body) }]);
      bytes[HEADER_BYTES] = first;
      const iv = seeded(2)(encr.ivBytes);
      bytes.set(iv, 32);
      bytes.set(encr.seal(protection.SK_e, iv, plaintext, bytes.slice(0, 32)), 32 + encr.ivBytes);
      if (integ) {
        const end = bytes.length - integ.icvBytes;
        bytes.set(integ.sign(protection.SK_a, bytes.subarray(0, end)), end);
      }
      return bytes;
    };
    const plain = new Uint8Array(32);
    plain[31] = 32; // one more byte of padding than there is
    expect(openMessage(seal(41, plain), protection)).toMatchObject({ code: 'length', authentic: true });
    plain[31] = 31;
    expect(openMessage(seal(0, plain), protection)).toMatchObject({ payloads: [] });
    expect(openMessage(seal(41, plain), protection)).toMatchObject({ code: 'truncated', authentic: true });
    plain[31] = 0;
    expect(openMessage(seal(0, plain), protection)).toMatchObject({ code: 'length', authentic: true, header });
  });

  test('a message without an Encrypted payload does not open', () => {
    const protection = protectionFrom(recorded, true);
    expect(openMessage(encodeMessage(header, payloads), protection)).toMatchObject({ authentic: false });
    expect(openMessage(encodeMessage(header, []), protection)).toMatchObject({ authentic: false });
  });

  test('keys of the wrong length are refused', () => {
    const { encr, integ } = recorded.suite;
    const key = new Uint8Array(encr.keyBytes);
    const mac = new Uint8Array(integ?.keyBytes ?? 0);
    expect(() => new Protection(encr, integ, key.subarray(1), mac)).toThrow(RangeError);
    expect(() => new Protection(encr, integ, key, new Uint8Array(mac.length + 1))).toThrow(RangeError);
    const protection = new Protection(encr, integ, key.fill(1), mac.fill(1));
    protection.wipe();
    expect([...protection.SK_e, ...protection.SK_a].every((byte) => byte === 0)).toBe(true);
  });
});
