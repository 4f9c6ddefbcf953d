// Key Exchange payload (RFC 7296 §3.4). `data` is the public value, as long as the method prescribes (§3.4; RFC 5903 §7).
//
// +-------------------------------+-------------------------------+
// |   Diffie-Hellman Group Num    |           RESERVED            |
// +-------------------------------+-------------------------------+
// ~                       Key Exchange Data                       ~
// +---------------------------------------------------------------+
import { reserved, rest, struct, tagged, u16 } from '../../wire/field.ts';

export const ke = tagged('ke', struct('KE payload', { method: u16, reserved: reserved(2), data: rest }));
