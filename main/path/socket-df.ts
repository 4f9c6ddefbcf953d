// The outer DF bit of an IPv4 tunnel (RFC 4301 §8.1: set, clear, or copied from the inner packet), and how much the kernel may do by
// what it has heard of the path's MTU.
//
// The kernel writes the outer header, of raw sockets too, and knows no control message for DF (ip(7)), but looks at the
// socket's IP_MTU_DISCOVER during the call. So the datagrams of one call are of one kind, and the socket is put into its mode for as
// long as that call:
//
//   WANT   at rest. DF on what fits the known path MTU; what does not is fragmented here, without it.
//   DO     with DF, and one message at least in segments (UDP_SEGMENT): the kernel compares the length of the whole message with
//          the path MTU, so that under WANT no segment would have DF. A single datagram over the path MTU goes out under WANT.
//   OMIT   without DF. (DONT would do too, but believes ICMP that cannot be about such datagrams, and fragments here.)
//   PROBE  with DF, where reports of a narrow path were found untrue (session/path-report.ts): the kernel believes them for ten
//          minutes, and this makes it forget them. What does not fit this computer's own link goes out under WANT.
//
// IPv6 has no DF, and no fragments but the sender's: WANT or PROBE. Others send through the same socket meanwhile: see
// net/socket/linux.ts. Linux numbers the segments of one message one by one, but begins the next message's only about one
// further: without DF, identifications repeat sooner than RFC 6864 §4.3 asks. Where fragments of two such datagrams were ever put
// together, the ICV fails and the packet is dropped.
import {
  IP_MTU_DISCOVER,
  IP_PMTUDISC_DO,
  IP_PMTUDISC_OMIT,
  IP_PMTUDISC_PROBE,
  IP_PMTUDISC_WANT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU_DISCOVER,
} from '../native/constants.ts';
import type { Libc } from '../native/libc.ts';

/** One socket, which several tunnels may share. */
export class SocketDf {
  readonly six: boolean;
  trustKernel = true;
  readonly #calls: Libc;
  readonly #fd: number;
  #mode = IP_PMTUDISC_WANT;

  constructor(calls: Libc, fd: number, six: boolean) {
    this.#calls = calls;
    this.#fd = fd;
    this.six = six;
  }

  /** A call is about to send datagrams with DF, or without. `segmented`: some of them as segments of one message. */
  begin(df: boolean, segmented: boolean): void {
    if (!df && !this.six) this.#set(IP_PMTUDISC_OMIT);
    else if (!this.trustKernel) this.#set(IP_PMTUDISC_PROBE);
    else this.#set(segmented && !this.six ? IP_PMTUDISC_DO : IP_PMTUDISC_WANT);
  }

  /** The kernel refused a datagram as too long. True: it may fragment it now, try again. */
  allowFragments(): boolean {
    if (this.#mode !== IP_PMTUDISC_DO && this.#mode !== IP_PMTUDISC_PROBE) return false;
    this.#set(IP_PMTUDISC_WANT);
    return true;
  }

  /** The call is over. */
  end(): void {
    this.#set(IP_PMTUDISC_WANT);
  }

  #set(mode: number): void {
    if (this.#mode === mode) return;
    this.#mode = mode;
    if (this.six) this.#calls.setsockopt(this.#fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, mode);
    else this.#calls.setsockopt(this.#fd, IPPROTO_IP, IP_MTU_DISCOVER, mode);
  }
}
