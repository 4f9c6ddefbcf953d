// How ESP crosses the network: by itself (IP protocol 50, RFC 4303), in UDP (RFC 3948), or in a TCP connection together with IKE
// (RFC 9329).
export type Encapsulation = 'raw' | 'udp' | 'tcp';
