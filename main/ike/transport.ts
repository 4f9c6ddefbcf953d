// What an IKE message goes by.

/**
 * Which of the two UDP ports a datagram uses, or the TCP connection that stands for both (RFC 9329); on `natt` and `tcp` the non-ESP
 * marker is in front on the wire, never in `bytes`.
 */
export type Transport = 'ike' | 'natt' | 'tcp';
