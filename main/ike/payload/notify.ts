// Notify payload (RFC 7296 §3.10). The types and their names are in ../notify.ts.
//
// +---------------+---------------+-------------------------------+
// |  Protocol ID  |   SPI Size    |      Notify Message Type      |
// +---------------+---------------+-------------------------------+
// ~                Security Parameter Index (SPI)                 ~
// +---------------------------------------------------------------+
// ~                       Notification Data                       ~
// +---------------------------------------------------------------+
import { bytes, dependent, derived, rest, struct, tagged, u8, u16 } from '../../wire/field.ts';

export const notify = tagged(
  'notify',
  struct('NOTIFY payload', {
    /** 0 unless the notify is about one CHILD SA (ESP: 3). */
    protocol: u8,
    spiSize: derived(u8, (whole: { spi: Uint8Array }) => whole.spi.length),
    type: u16,
    /** Empty, or the SPI of the SA concerned. */
    spi: dependent((number) => bytes(number('spiSize'))),
    data: rest,
  }),
);
