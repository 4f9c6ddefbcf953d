// Vendor ID payload (RFC 7296 §3.12).
//
// +---------------------------------------------------------------+
// ~                        Vendor ID (VID)                        ~
// +---------------------------------------------------------------+
import { rest, struct, tagged } from '../../wire/field.ts';

export const vendor = tagged('vendor', struct('VENDOR ID payload', { data: rest }));
