// Where the data plane keeps what system calls read and fill: the NATIVE region of the core's linear memory, which the
// core itself never looks at. Offsets from the start of memory; the sender's tables and the receiver's are apart, so that
// one thread may be both.
import {
  DESC_BYTES,
  IN_DESC_COUNT,
  NATIVE,
  NATIVE_BYTES,
  OUT_DESC_COUNT,
  PIECE_DESC_COUNT,
} from '../../assembly/layout.ts';
import { CMSG_HEADER_BYTES, IOVEC_BYTES, MMSGHDR_BYTES } from '../native/constants.ts';
import { SOCKADDR_SLOT_BYTES } from '../native/sockaddr.ts';

/** A control message with a value of up to 8 bytes. */
export const CMSG_SLOT_BYTES = CMSG_HEADER_BYTES + 8;

// Sender: as many as OUT_DESC has entries.
export const SEND_MESSAGES = 512;
export const SEND_HEADERS = NATIVE;
export const SEND_IOVECS = SEND_HEADERS + SEND_MESSAGES * MMSGHDR_BYTES;
/** TOS or traffic class, and UDP_SEGMENT. */
export const SEND_CONTROL_BYTES = 2 * CMSG_SLOT_BYTES;
export const SEND_CONTROLS = SEND_IOVECS + SEND_MESSAGES * IOVEC_BYTES;
/** One address per tunnel slot. */
export const SEND_NAMES = SEND_CONTROLS + SEND_MESSAGES * SEND_CONTROL_BYTES;
export const SEND_TUNNELS = 16;

// Receiver.
export const RECEIVE_MESSAGES = 128;
export const RECEIVE_HEADERS = SEND_NAMES + SEND_TUNNELS * SOCKADDR_SLOT_BYTES;
export const RECEIVE_IOVECS = RECEIVE_HEADERS + RECEIVE_MESSAGES * MMSGHDR_BYTES;
export const RECEIVE_NAMES = RECEIVE_IOVECS + RECEIVE_MESSAGES * IOVEC_BYTES;
export const RECEIVE_CONTROL_BYTES = 128;
export const RECEIVE_CONTROLS = RECEIVE_NAMES + RECEIVE_MESSAGES * SOCKADDR_SLOT_BYTES;

/** One message read from an error queue: header, iovec, name, control data, the datagram's beginning. */
export const ERROR_HEADER = RECEIVE_CONTROLS + RECEIVE_MESSAGES * RECEIVE_CONTROL_BYTES;
export const ERROR_IOVEC = ERROR_HEADER + MMSGHDR_BYTES;
export const ERROR_NAME = ERROR_IOVEC + IOVEC_BYTES;
export const ERROR_CONTROL = ERROR_NAME + SOCKADDR_SLOT_BYTES;
export const ERROR_CONTROL_BYTES = 256;
export const ERROR_DATA = ERROR_CONTROL + ERROR_CONTROL_BYTES;
export const ERROR_DATA_BYTES = 64;

// The loop: struct pollfd { fd i32, events i16, revents i16 }, and 8 bytes to read an eventfd into.
export const POLL_FDS = ERROR_DATA + ERROR_DATA_BYTES;
export const POLL_FDS_COUNT = 64;
export const WAKE_BUFFER = POLL_FDS + POLL_FDS_COUNT * 8;
/** An i32 that an ioctl of the sender's fills. */
export const SEND_ANSWER = WAKE_BUFFER + 8;

/** Sending into a stream: one header, two iovecs for each entry of OUT_DESC, its length on the wire. */
export const STREAM_HEADER = SEND_ANSWER + 8;
export const STREAM_IOVECS = STREAM_HEADER + MMSGHDR_BYTES;
export const STREAM_LENGTHS = STREAM_IOVECS + 2 * SEND_MESSAGES * IOVEC_BYTES;

/** Writing to the TUN: an output of open, and its pieces. */
export const TUN_IOVECS = (STREAM_LENGTHS + 2 * SEND_MESSAGES + 15) & -16;

/**
 * The sender's own copies of what must outlive a turn: of OUT_DESC while it is sent, and of what seal left in IN_DESC. Where one
 * thread is both, open fills those tables with what arrives meanwhile: decrypted packets.
 */
export const SEND_DESC = TUN_IOVECS + (PIECE_DESC_COUNT + 1) * IOVEC_BYTES;
export const LEFT_DESC = SEND_DESC + OUT_DESC_COUNT * DESC_BYTES;

const END = LEFT_DESC + IN_DESC_COUNT * DESC_BYTES;
if (END > NATIVE + NATIVE_BYTES) throw new Error('the tables of main/path/layout.ts do not fit into NATIVE');
