// The outer DF bit of an IPv4 tunnel (RFC 4301 §8.1: set, clear, or copied from the inner packet).
//
// The kernel writes the outer header, of raw sockets too, and knows no control message for DF (ip(7)), but looks at the
// socket's IP_MTU_DISCOVER during the call: WANT with DF, OMIT without. (DONT would do without DF too, but believes ICMP that cannot
// be about such datagrams, and fragments here.) So the datagrams of one call are of one kind, and the socket is told which before:
// without DF each time, since the control thread's probes of the path leave the socket at WANT (net/socket); with DF only after
// it was told otherwise, so that "set", the default, costs nothing.
//
// UDP_SEGMENT works in both. Linux numbers the segments of such a message one by one, but begins the next message's only about
// one further: without DF, identifications of segments repeat sooner than RFC 6864 §4.3 asks. Where fragments of two of them
// were ever put together, the ICV fails and the packet is dropped.
import { IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, IP_PMTUDISC_WANT, IPPROTO_IP } from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';

/** One IPv4 socket, which several tunnels may share. */
export class SocketDf {
  readonly #calls: Libc;
  readonly #fd: number;
  #omitted = false;

  constructor(calls: Libc, fd: number) {
    this.#calls = calls;
    this.#fd = fd;
  }

  /** What is sent next has DF, or has not. */
  tell(df: boolean): void {
    if (df && !this.#omitted) return;
    this.#calls.setsockopt(this.#fd, IPPROTO_IP, IP_MTU_DISCOVER, df ? IP_PMTUDISC_WANT : IP_PMTUDISC_OMIT);
    this.#omitted = !df;
  }
}
