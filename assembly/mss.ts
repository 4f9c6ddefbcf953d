// Lowers the MSS option of TCP SYNs to what fits through the tunnel, so that the ends never send what we must fragment.
// (The option: RFC 9293 §3.7.1; the checksum's update: RFC 1624.)
import { flowFamily, flowHasTransport, flowProtocol, flowTotal, flowTransport } from './flow';
import { TUNNEL_MSS4, TUNNEL_MSS6 } from './layout';
import { update } from './wire/checksum';
import { PROTOCOL_TCP } from './wire/protocol';

const TCP_HEADER: u32 = 20;
const TCP_OFFSET: usize = 12;
const TCP_FLAGS: usize = 13;
const TCP_CHECKSUM: usize = 16;
const SYN: u32 = 0x02;

const OPTION_END: u32 = 0;
const OPTION_NOP: u32 = 1;
const OPTION_MSS: u32 = 2;

/** Clamps the packet of the last readFlow, at p, to the limits in the tunnel's block. True where it was lowered. */
export function clampMss(p: usize, block: usize): bool {
  if (flowProtocol != PROTOCOL_TCP || !flowHasTransport) return false;
  const tcp = p + flowTransport;
  const n = flowTotal - flowTransport;
  if (flowTotal < flowTransport + TCP_HEADER || !(load<u8>(tcp, TCP_FLAGS) & SYN)) return false;
  const limit = flowFamily == 4 ? load<u32>(block, TUNNEL_MSS4) : load<u32>(block, TUNNEL_MSS6);
  if (limit == 0) return false;
  const header = (<u32>load<u8>(tcp, TCP_OFFSET) >> 4) << 2;
  if (header < TCP_HEADER || header > n) return false;
  let at = TCP_HEADER;
  while (at < header) {
    const kind: u32 = load<u8>(tcp + at);
    if (kind == OPTION_END) return false;
    if (kind == OPTION_NOP) {
      at++;
      continue;
    }
    if (at + 2 > header) return false;
    const length: u32 = load<u8>(tcp + at, 1);
    if (length < 2 || at + length > header) return false;
    if (kind == OPTION_MSS && length == 4) return lower(tcp, at + 2, limit);
    at += length;
  }
  return false;
}

function lower(tcp: usize, at: u32, limit: u32): bool {
  const before = load<u16>(tcp + at);
  if (<u32>bswap<u16>(before) <= limit) return false;
  const after = bswap<u16>(<u16>limit);
  store<u16>(tcp + at, after);
  // Behind an odd number of option bytes the value straddles two checksum words: its bytes swap their weights.
  if (at & 1) update(tcp + TCP_CHECKSUM, bswap<u16>(before), bswap<u16>(after));
  else update(tcp + TCP_CHECKSUM, before, after);
  return true;
}
