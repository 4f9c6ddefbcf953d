// Traffic selectors on the hot path (RFC 4301 §4.4.1.1, RFC 7296 §3.13.1): is an address, with protocol and port, in one
// of a tunnel's ranges? The table layout is SELECTOR_* of layout.ts.
import {
  SELECTOR_BYTES,
  SELECTOR_END,
  SELECTOR_END_PORT,
  SELECTOR_FAMILY,
  SELECTOR_PROTOCOL,
  SELECTOR_START,
  SELECTOR_START_PORT,
} from './layout';
import { flowFamily, flowHasPorts, flowProtocol } from './flow';

/** A port the packet does not show matches only "any", or OPAQUE (65535-0) which means exactly that. */
function portInside(selector: usize, port: u32): bool {
  const start: u32 = load<u16>(selector, SELECTOR_START_PORT);
  const end: u32 = load<u16>(selector, SELECTOR_END_PORT);
  if (start == 0 && end == 0xffff) return true;
  if (start > end) return !flowHasPorts;
  return flowHasPorts && port >= start && port <= end;
}

/** Is the address, with the last-read flow's family and protocol, in one of `count` selectors at `table`? */
export function inside(table: usize, count: u32, high: u64, low: u64, port: u32): bool {
  const end = table + count * SELECTOR_BYTES;
  for (let selector = table; selector < end; selector += SELECTOR_BYTES) {
    if (load<u8>(selector, SELECTOR_FAMILY) != <u8>flowFamily) continue;
    const startHigh = load<u64>(selector, SELECTOR_START);
    if (high < startHigh || (high == startHigh && low < load<u64>(selector, SELECTOR_START + 8))) continue;
    const endHigh = load<u64>(selector, SELECTOR_END);
    if (high > endHigh || (high == endHigh && low > load<u64>(selector, SELECTOR_END + 8))) continue;
    const protocol: u32 = load<u8>(selector, SELECTOR_PROTOCOL);
    if (protocol != 0 && protocol != flowProtocol) continue;
    if (portInside(selector, port)) return true;
  }
  return false;
}
