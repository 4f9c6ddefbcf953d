// Extensible Authentication Protocol payload (RFC 7296 §3.16): one EAP message (RFC 3748 §4), read by who speaks EAP.
//
// +---------------------------------------------------------------+
// ~                       EAP Message                             ~
// +---------------------------------------------------------------+
import { rest, struct, tagged } from '../../wire/field.ts';

export const eap = tagged('eap', struct('EAP payload', { data: rest }));
