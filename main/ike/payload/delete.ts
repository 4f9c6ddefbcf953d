// Delete payload (RFC 7296 §3.11): the IKE SA (protocol 1, no SPI), or the sender's inbound ESP SPIs.
//
// +---------------+---------------+-------------------------------+
// |  Protocol ID  |   SPI Size    |          Num of SPIs          |
// +---------------+---------------+-------------------------------+
// ~               Security Parameter Index(es) (SPI)              ~
// +---------------------------------------------------------------+
import { dependent, derived, type Field, impossible, repeat, struct, tagged, u8, u16, u32 } from '../../wire/field.ts';

interface Deletion {
  readonly protocol: number;
  readonly spis: readonly number[];
}

/** 4 bytes each for AH and ESP. An IKE SA is named by the message itself: no SPI, and the count means nothing. */
const sizeOf = (protocol: number): 0 | 4 => (protocol === 1 ? 0 : 4);

function spis(protocol: number, size: number, count: number): Field<readonly number[]> {
  const expected = sizeOf(protocol);
  if (size !== expected) return impossible('length', `SPIs of ${expected} bytes, got ${size}`);
  return repeat(u32, expected === 0 ? 0 : count);
}

export const deletion = tagged(
  'delete',
  struct('DELETE payload', {
    protocol: u8,
    size: derived(u8, (whole: Deletion) => sizeOf(whole.protocol)),
    count: derived(u16, (whole: Deletion) => whole.spis.length),
    spis: dependent((number) => spis(number('protocol'), number('size'), number('count'))),
  }),
);
