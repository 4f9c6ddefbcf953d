// EAP-MSCHAPv2's Type-Data (draft-kamath-pppext-eap-mschapv2-02 §2) and the words in it (RFC 2759 §5, §6).
//
// +---------------+---------------+-------------------------------+
// |    OpCode     | MS-CHAPv2-ID  |           MS-Length           |
// +---------------+---------------+-------------------------------+
// |  Value-Size   |  Value …                  |  Name …           |   Challenge, Response
// +---------------+---------------------------+-------------------+
//
// Success and Failure Requests carry text instead; the Responses to them are the OpCode alone.
import type { WireError } from '../../wire/error.ts';
import {
  bytes,
  decode,
  encode,
  type Field,
  map,
  refuse,
  reserved,
  rest,
  sized,
  struct,
  u8,
  u16,
} from '../../wire/field.ts';

export const MS_OPCODE = { challenge: 1, response: 2, success: 3, failure: 4, changePassword: 7 } as const;

/** MS-Length counts from the OpCode on. */
const HEADER_BYTES = 4;

const one = (code: number, name: string): Field<number> =>
  map(
    u8,
    (value) => (value === code ? value : refuse(`${name}, ${code}, got ${value}`)),
    () => code,
  );

const body = <T>(opcode: number, inner: Field<T>) =>
  struct('MSCHAPv2 packet', {
    opcode: one(opcode, 'the OpCode'),
    id: u8,
    body: sized(u16, HEADER_BYTES, inner),
  });

const challengeField = body(
  MS_OPCODE.challenge,
  struct('MSCHAPv2 challenge', { size: one(16, 'a Value-Size'), challenge: bytes(16), name: rest }),
);
const responseField = body(
  MS_OPCODE.response,
  struct('MSCHAPv2 response', {
    size: one(49, 'a Value-Size'),
    peerChallenge: bytes(16),
    reserved: reserved(8),
    ntResponse: bytes(24),
    flags: u8,
    name: rest,
  }),
);
const successField = body(MS_OPCODE.success, rest);
const failureField = body(MS_OPCODE.failure, rest);

export interface MsChallenge {
  readonly id: number;
  readonly challenge: Uint8Array;
  readonly name: Uint8Array;
}

export interface MsResponse {
  readonly id: number;
  readonly peerChallenge: Uint8Array;
  readonly ntResponse: Uint8Array;
  readonly name: Uint8Array;
}

export const encodeMsChallenge = ({ id, challenge, name }: MsChallenge): Uint8Array =>
  encode(challengeField, { opcode: MS_OPCODE.challenge, id, body: { size: 16, challenge, name } });
export const encodeMsResponse = ({ id, peerChallenge, ntResponse, name }: MsResponse): Uint8Array =>
  encode(responseField, {
    opcode: MS_OPCODE.response,
    id,
    body: { size: 49, peerChallenge, ntResponse, flags: 0, name },
  });
export const encodeMsText = (kind: 'success' | 'failure', id: number, text: string): Uint8Array =>
  encode(kind === 'success' ? successField : failureField, {
    opcode: MS_OPCODE[kind],
    id,
    body: new TextEncoder().encode(text),
  });

export function decodeMsChallenge(data: Uint8Array): MsChallenge | WireError {
  const value = decode(challengeField, data, 'MSCHAPv2 packet');
  return 'body' in value ? { id: value.id, challenge: value.body.challenge, name: value.body.name } : value;
}

export function decodeMsResponse(data: Uint8Array): MsResponse | WireError {
  const value = decode(responseField, data, 'MSCHAPv2 packet');
  if (!('body' in value)) return value;
  const { peerChallenge, ntResponse, name } = value.body;
  return { id: value.id, peerChallenge, ntResponse, name };
}

/** The text of a Success or Failure Request. */
export function decodeMsText(
  kind: 'success' | 'failure',
  data: Uint8Array,
): { readonly id: number; readonly text: string } | WireError {
  const value = decode(kind === 'success' ? successField : failureField, data, 'MSCHAPv2 packet');
  return 'body' in value ? { id: value.id, text: new TextDecoder().decode(value.body) } : value;
}

/** "S=<40 hexadecimal digits> M=<words>" (RFC 2759 §5): the 20 bytes; undefined: not so. */
export function authenticatorResponseOf(text: string): Uint8Array | undefined {
  const hex = /^S=([0-9a-f]{40})(?: |$)/i.exec(text)?.[1];
  return hex === undefined ? undefined : Uint8Array.from(Buffer.from(hex, 'hex'));
}

export interface MsFailure {
  readonly error: number;
  readonly retry: boolean;
  /** For another try. */
  readonly challenge: Uint8Array | undefined;
  readonly message: string;
}

/** "E=eeeeeeeeee R=r C=cccc V=vvvvvvvvvv M=<words>" (RFC 2759 §6); sloppy servers leave parts out. */
export function failureOf(text: string): MsFailure {
  const error = /(?:^| )E=(\d{1,10})/.exec(text)?.[1];
  const challenge = /(?:^| )C=([0-9a-f]{32})(?: |$)/i.exec(text)?.[1];
  return {
    error: error === undefined ? 0 : Number(error),
    retry: /(?:^| )R=1(?: |$)/.test(text),
    challenge: challenge === undefined ? undefined : Uint8Array.from(Buffer.from(challenge, 'hex')),
    message: / M=(.*)$/s.exec(text)?.[1] ?? '',
  };
}
