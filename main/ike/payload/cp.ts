// Configuration payload (RFC 7296 §3.15). What the attributes mean is in ../configuration.ts.
//
// +---------------+-----------------------------------------------+
// |   CFG Type    |                    RESERVED                   |
// +---------------+-----------------------------------------------+
// ~                   Configuration Attributes                    ~
// +-+-----------------------------+-------------------------------+
// |R|         Attribute Type      |            Length             |
// +-+-----------------------------+-------------------------------+
// ~                             Value                             ~
// +---------------------------------------------------------------+
import { type Field, list, map, refuse, reserved, rest, sized, struct, tagged, u8, u16 } from '../../wire/field.ts';

export type CpType = 'request' | 'reply' | 'set' | 'ack';
const TYPES: readonly CpType[] = ['request', 'reply', 'set', 'ack'];

const cpType: Field<CpType> = map(
  u8,
  (value) => TYPES[value - 1] ?? refuse(`a CFG type from 1 to 4, got ${value}`),
  (value) => TYPES.indexOf(value) + 1,
);

/** 15 bits; the reserved one in front is ignored. */
const attributeType: Field<number> = map(
  u16,
  (value) => value & 0x7fff,
  (value) => value,
);

/** An attribute without a value, in a request, asks for one. */
const attribute = struct('configuration attribute', { type: attributeType, value: sized(u16, 0, rest) });

export const cp = tagged(
  'cp',
  struct('CP payload', { type: cpType, reserved: reserved(3), attributes: list(attribute) }),
);
