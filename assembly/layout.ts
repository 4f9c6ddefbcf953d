// The numeric constants of the core's linear memory and of its ABI, read by asc (assembly/) and by tsc (main/core,
// main/wire) alike. No imports, no types, nothing but numbers: both compilers must understand every line.
//
// Memory is imported, initial = maximum, so its base address never moves and native code may hold pointers into it.
//
//        0 ┌──────────────────────────┐
//          │ left empty: a null guard │
//   0x1000 ├──────────────────────────┤ PARAMS        one parameter block, written by JavaScript before a configuring call
//          ├──────────────────────────┤ COUNTERS      u64 each, see COUNTER_*
//          ├──────────────────────────┤ *_DESC        descriptor tables, 16 bytes an entry
//          ├──────────────────────────┤ NATIVE        mmsghdr, iovec, cmsg, sockaddr: JavaScript's, the core never looks
//  0x40000 ├──────────────────────────┤ HEAP          asc's static data, SAs, tunnels, replay windows, parked packets,
//          │                          │               the reassembly pool: the core's own, placed by assembly/
// 0x300000 ├──────────────────────────┤ IN            what was read off the TUN (seal) or a socket (open)
// 0xb20000 ├──────────────────────────┤ OUT           what seal made
// 0xd20000 ├──────────────────────────┤ QUEUE         what was read off the TUN and waits to be sealed (main/path/queue.ts)
// 0xf20000 └──────────────────────────┘

export const MEMORY_PAGES = 242;
export const MEMORY_BYTES = 15859712;

export const PARAMS = 0x1000;
export const PARAMS_BYTES = 0x1fe0;

/**
 * Where seal and open leave their results: u32 each, { consumed, out, side }; how many SAs have passed a soft limit so far; and how
 * many super-packets open has kept back.
 */
export const RESULT = 0x2fe0;
export const RESULT_CONSUMED = 0;
export const RESULT_OUT = 4;
export const RESULT_SIDE = 8;
export const RESULT_SOFT = 12;
export const RESULT_KEPT = 16;

export const COUNTERS = 0x3000;

// A descriptor is four u32, little-endian: { offset, capacity, length, aux }.
//   offset    first byte of the packet, from the start of memory
//   capacity  bytes that may be written at offset (an input slot's size); 0 where it has no meaning
//   length    bytes that the packet has
//   aux       see AUX_*
export const DESC_BYTES = 16;
export const DESC_OFFSET = 0;
export const DESC_CAPACITY = 4;
export const DESC_LENGTH = 8;
export const DESC_AUX = 12;
/** Of an output of open, instead of a capacity: number of the entry of PIECE_DESC that goes on where it ends, from 1 up; 0: none. */
export const DESC_NEXT = 4;

/** Inputs of seal and of open. */
export const IN_DESC = 0x4000;
export const IN_DESC_COUNT = 512;
/**
 * What seal made for the socket, or what open made for the TUN: behind what it had kept back, up to KEPT entries more. An entry of
 * length 0 is one that open keeps back.
 */
export const OUT_DESC = 0x6000;
export const OUT_DESC_COUNT = 512;
/** Super-packets that open keeps back at most. */
export const KEPT = 16;
/** seal: ICMP errors that go back into the TUN. open: IKE messages (after the non-ESP marker) for the control thread. */
export const SIDE_DESC = 0x8100;
export const SIDE_DESC_COUNT = 512;
/** open: what follows the first packet of a super-packet for the TUN, piece by piece; each names the next as DESC_NEXT says. */
export const PIECE_DESC = 0xa100;
export const PIECE_DESC_COUNT = 512;

// aux of an input of seal: AUX_VNET or 0. Of an input of open: the outer header's TOS or traffic class in bits 0-7, AUX_* flags above, and for IKE messages
// the whole aux is copied to the side descriptor so that JavaScript finds the socket and message it came from.
export const AUX_TOS_MASK = 0xff;
/** The input starts with an IPv4 header (raw sockets of family AF_INET deliver it). */
export const AUX_RAW4 = 0x100;
/** The input is plain GRE (no ESP), delivered by a raw socket of protocol 47. */
export const AUX_GRE = 0x200;
/** The input came from a UDP socket: a 4-byte zero marker means IKE, one byte 0xff a keepalive (RFC 3948 §2.2, §2.3). */
export const AUX_UDP = 0x400;
/** The input starts with a 10-byte virtio_net_hdr (a TUN opened with IFF_VNET_HDR); outputs for the TUN then get one too. */
export const AUX_VNET = 0x800;
export const VNET_HEADER_BYTES = 10;
/** Bits 16-31 belong to JavaScript (which socket, which message). */
export const AUX_USER_SHIFT = 16;

// aux of an output of seal: outer TOS in bits 0-7, tunnel slot in bits 8-11, outbound SA slot in bits 12-15, AUX_OUTER_DF.
export const AUX_TUNNEL_SHIFT = 8;
export const AUX_SA_SHIFT = 12;
/** The outer header shall have DF, where it is IPv4 (RFC 4301 §8.1). The kernel writes that header: path/datagrams.ts tells it. */
export const AUX_OUTER_DF = 0x10000;
// aux of an output of open: tunnel slot in bits 8-11, inbound SA slot in bits 16-23.
export const AUX_INBOUND_SHIFT = 16;

/** JavaScript's own: mmsghdr, iovec, cmsg and sockaddr tables for system calls. */
export const NATIVE = 0x10000;
export const NATIVE_BYTES = 0x30000;

export const HEAP = 0x40000;
export const HEAP_END = 0x300000;

/**
 * 128 slots of 66,560 bytes (bursts) or of 8,320 bytes (single packets), as the I/O loop likes. Address space for the most part:
 * pages that nothing was ever read into cost nothing.
 */
export const IN = 0x300000;
export const IN_BYTES = 0x820000;
export const BURST_SLOT_BYTES = 66560;
export const PACKET_SLOT_BYTES = 8320;
export const OUT = 0xb20000;
export const OUT_BYTES = 0x200000;
/** Inputs of seal that wait for their turn; the core reads them where they lie, and never places anything here. */
export const QUEUE = 0xd20000;
export const QUEUE_BYTES = 0x200000;

/** Tunnels, and SAs in each direction, that one core holds. */
export const TUNNELS = 8;
export const OUTBOUND_SAS = 16;
export const INBOUND_SAS = 32;
/** Selectors (address ranges with protocol and ports) a tunnel may have on each side. */
export const SELECTORS = 64;

// Counters: u64 at COUNTERS + 8 * index. main/core/counters.ts gives each its name and says what it counts.

export const COUNTER_OUT_PACKETS = 0;
export const COUNTER_OUT_BYTES = 1;
export const COUNTER_OUT_DUMMIES = 2;
export const COUNTER_OUT_FRAGMENTS = 3;
export const COUNTER_OUT_TOO_BIG = 4;
export const COUNTER_OUT_MSS_CLAMPED = 5;
export const COUNTER_OUT_BAD_INNER = 6;
export const COUNTER_OUT_NO_TUNNEL = 7;
export const COUNTER_OUT_NO_SA = 8;
export const COUNTER_OUT_HARD_LIMIT = 9;
export const COUNTER_OUT_SEQUENCE_EXHAUSTED = 10;
export const COUNTER_OUT_NO_ROOM = 11;
export const COUNTER_IN_PACKETS = 12;
export const COUNTER_IN_BYTES = 13;
export const COUNTER_IN_IKE = 14;
export const COUNTER_IN_KEEPALIVES = 15;
export const COUNTER_IN_DUMMIES = 16;
export const COUNTER_IN_MSS_CLAMPED = 17;
export const COUNTER_IN_PARKED = 18;
export const COUNTER_IN_PARK_OVERFLOW = 19;
export const COUNTER_IN_TOO_SHORT = 20;
export const COUNTER_IN_TRUNCATED = 21;
export const COUNTER_IN_BAD_OUTER = 22;
export const COUNTER_IN_UNKNOWN_SPI = 23;
export const COUNTER_IN_REPLAY_OLD = 24;
export const COUNTER_IN_REPLAY_DUPLICATE = 25;
export const COUNTER_IN_AUTH_FAILED = 26;
export const COUNTER_IN_HARD_LIMIT = 27;
export const COUNTER_IN_BAD_PADDING = 28;
export const COUNTER_IN_BAD_NEXT_HEADER = 29;
export const COUNTER_IN_BAD_ALIGNMENT = 30;
export const COUNTER_IN_BAD_DELIVERY = 31;
export const COUNTER_IN_DELIVERY_ADDRESS = 32;
export const COUNTER_IN_DELIVERY_PROTOCOL = 33;
export const COUNTER_IN_GRE_TOO_SHORT = 34;
export const COUNTER_IN_GRE_VERSION = 35;
export const COUNTER_IN_GRE_RESERVED = 36;
export const COUNTER_IN_GRE_CHECKSUM = 37;
export const COUNTER_IN_GRE_KEY = 38;
export const COUNTER_IN_GRE_SEQUENCE = 39;
export const COUNTER_IN_GRE_PROTOCOL = 40;
export const COUNTER_IN_GRE_KEEPALIVE = 41;
export const COUNTER_IN_BAD_INNER = 42;
export const COUNTER_IN_INNER_ADDRESS = 43;
export const COUNTER_IN_ECN = 44;
export const COUNTER_FRAG_RECEIVED = 45;
export const COUNTER_FRAG_REASSEMBLED = 46;
export const COUNTER_FRAG_TIMED_OUT = 47;
export const COUNTER_FRAG_POOL_FULL = 48;
export const COUNTER_FRAG_MALFORMED = 49;
export const COUNTER_IN_NO_TUNNEL = 50;
export const COUNTER_IN_NO_ROOM = 51;
export const COUNTER_OUT_CUT = 52;
export const COUNTER_IN_MERGED = 53;
export const COUNTER_COUNT = 54;

// The parameter block of configureTunnel, at PARAMS. u32 each, little-endian, unless another width is given.
//
//    0 shape          SHAPE_*
//    4 greFlags       the bits C, K and S as they stand in a GRE header that the core writes (RFC 2890 §2)
//    8 greKey
//   12 greNext        next GRE sequence number to send
//   16 deliveryFamily 4, 6, or 0 for none
//   20 mtu
//   24 mss4           0: leave alone
//   28 mss6
//   32 copyDscp       0 or 1
//   36 ttl
//   40 localCount
//   44 remoteCount
//   48 deliveryLocal  4 or 16 bytes, network order
//   64 deliveryRemote
//   80 outerDf        DF_*: what the outer header's DF bit is (RFC 4301 §8.1)
//   96 selectors      SELECTOR_BYTES each: the local ones, then the remote ones
export const TUNNEL_SHAPE = 0;
export const TUNNEL_GRE_FLAGS = 4;
export const TUNNEL_GRE_KEY = 8;
export const TUNNEL_GRE_NEXT = 12;
export const TUNNEL_DELIVERY_FAMILY = 16;
export const TUNNEL_MTU = 20;
export const TUNNEL_MSS4 = 24;
export const TUNNEL_MSS6 = 28;
export const TUNNEL_COPY_DSCP = 32;
export const TUNNEL_TTL = 36;
export const TUNNEL_LOCAL_COUNT = 40;
export const TUNNEL_REMOTE_COUNT = 44;
export const TUNNEL_DELIVERY_LOCAL = 48;
export const TUNNEL_DELIVERY_REMOTE = 64;
export const TUNNEL_OUTER_DF = 80;
export const TUNNEL_SELECTORS = 96;
export const TUNNEL_PARAMS_BYTES = 5216;

export const DF_SET = 0;
export const DF_CLEAR = 1;
export const DF_COPY = 2;

export const SHAPE_GRE_TRANSPORT = 1;
export const SHAPE_GRE_TUNNEL = 2;
export const SHAPE_ESP_TUNNEL = 3;
export const SHAPE_GRE_PLAIN = 4;

export const GRE_CHECKSUM = 0x8000;
export const GRE_KEY = 0x2000;
export const GRE_SEQUENCE = 0x1000;

// One selector: { family u8, protocol u8, startPort u16, endPort u16, (2 unused), start, end }; an address is two
// little-endian u64 { high, low } so that ranges compare as numbers; IPv4 is high = 0, low = the address as a number.
export const SELECTOR_BYTES = 40;
export const SELECTOR_FAMILY = 0;
export const SELECTOR_PROTOCOL = 1;
export const SELECTOR_START_PORT = 2;
export const SELECTOR_END_PORT = 4;
export const SELECTOR_START = 8;
export const SELECTOR_END = 24;

// The parameter block of installOutbound and installInbound, at PARAMS; the core zeroes the key there.
export const SA_SPI = 0;
export const SA_TUNNEL = 4;
export const SA_CIPHER = 8;
export const SA_ESN = 12;
export const SA_WINDOW = 16;
export const SA_SALT = 20;
export const SA_HARD_PACKETS = 24;
export const SA_HARD_BYTES = 32;
export const SA_SOFT_PACKETS = 40;
export const SA_SOFT_BYTES = 48;
export const SA_PARAMS_BYTES = 56;
export const SA_KEY_LENGTH = 56;
export const SA_INTEGRITY = 60;
export const SA_KEY = 64;
export const SA_KEY_BYTES = 32;
export const SA_INTEGRITY_KEY_LENGTH = 96;
export const SA_INTEGRITY_KEY = 100;
export const SA_INTEGRITY_KEY_BYTES = 64;

// What outboundUse and inboundUse leave at PARAMS: three u64.
export const USE_PACKETS = 0;
export const USE_BYTES = 8;
export const USE_SEQUENCE = 16;

/** Packets that wait for their SA's keys, and the longest that is kept. */
export const PARK_PACKETS = 64;
export const PARK_PACKET_BYTES = 2048;
export const EXPECTED_SPIS = 32;

/** Delivery packets under reassembly at once, and how long one may take, in milliseconds. */
export const REASSEMBLY_CONTEXTS = 8;
/** Room for the packets that one batch completes: 256 of 1,500 bytes, of two fragments each, and some. */
export const REASSEMBLED_BYTES = 0x70000;
export const REASSEMBLY_MILLISECONDS = 30000;

// ESP's transforms, and the job that the packet code hands to assembly/crypto: eight u32, pointers into linear memory.
//   data, length     plaintext or ciphertext, in place (without the ICV); ESP header and IV lie in front of it
//   aad, aadLength   additional authenticated data, for AEADs
//   nonce            12 bytes: salt (4), then the explicit IV (8) (RFC 4106 §4, RFC 7634 §2, RFC 3686 §4, RFC 4543 §3.2)
//   tag              the ICV: written by seal, read by open
//   ok               written by open: 1 and data decrypted, or 0 and data untouched
//   esn              the upper half of the sequence number, four bytes in network order, or 0 without ESN; not for AEADs
export const CIPHER_AES_GCM = 1;
export const CIPHER_CHACHA20_POLY1305 = 2;
export const CIPHER_AES_CBC = 3;
export const CIPHER_AES_CTR = 4;
/** These two encrypt nothing. */
export const CIPHER_NULL = 5;
export const CIPHER_NULL_AES_GMAC = 6;
/** IANA's numbers (IKEv2 transform type 3); INTEGRITY_NONE for ciphers that bring their own. */
export const INTEGRITY_NONE = 0;
export const INTEGRITY_HMAC_SHA1_96 = 2;
export const INTEGRITY_HMAC_SHA2_256_128 = 12;
export const INTEGRITY_HMAC_SHA2_384_192 = 13;
export const INTEGRITY_HMAC_SHA2_512_256 = 14;
export const JOB_BYTES = 32;
export const JOB_DATA = 0;
export const JOB_LENGTH = 4;
export const JOB_AAD = 8;
export const JOB_AAD_LENGTH = 12;
export const JOB_NONCE = 16;
export const JOB_TAG = 20;
export const JOB_OK = 24;
export const JOB_ESN = 28;
