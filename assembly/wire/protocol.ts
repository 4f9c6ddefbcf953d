// IANA's protocol numbers that the packet path knows.
export const PROTOCOL_HOP_BY_HOP: u32 = 0;
export const PROTOCOL_ICMP: u32 = 1;
export const PROTOCOL_IP4: u32 = 4;
export const PROTOCOL_TCP: u32 = 6;
export const PROTOCOL_UDP: u32 = 17;
export const PROTOCOL_DCCP: u32 = 33;
export const PROTOCOL_IP6: u32 = 41;
export const PROTOCOL_ROUTING: u32 = 43;
export const PROTOCOL_FRAGMENT: u32 = 44;
export const PROTOCOL_GRE: u32 = 47;
export const PROTOCOL_ESP: u32 = 50;
export const PROTOCOL_AH: u32 = 51;
export const PROTOCOL_ICMP6: u32 = 58;
/** No next header: in ESP, a dummy packet (RFC 4303 §2.6). */
export const PROTOCOL_NONE: u32 = 59;
export const PROTOCOL_OPTIONS: u32 = 60;
export const PROTOCOL_SCTP: u32 = 132;
export const PROTOCOL_UDP_LITE: u32 = 136;
