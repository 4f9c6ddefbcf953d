// The tunnels: settings, and the GRE state that outlives every SA (RFC 2890: a key's sequence numbers go on through a rekey).
//
//   record ┌──────────────────┐
//        0 │ used             │ 1 where configured
//        4 │ active           │ outbound SA slot, or -1
//        8 │ seen             │ 1 once a GRE sequence number was received
//       12 │ last             │ the last one (RFC 2890 §2.2)
//       16 │ identification   │ of the next delivery header that may be fragmented
//       32 │ parameter block  │ TUNNEL_* of layout.ts; greNext in it counts on
//          └──────────────────┘
import {
  GRE_SEQUENCE,
  PARAMS,
  SELECTOR_BYTES,
  TUNNELS,
  TUNNEL_DELIVERY_FAMILY,
  TUNNEL_GRE_FLAGS,
  TUNNEL_GRE_KEY,
  TUNNEL_GRE_NEXT,
  TUNNEL_LOCAL_COUNT,
  TUNNEL_PARAMS_BYTES,
  TUNNEL_REMOTE_COUNT,
  TUNNEL_SELECTORS,
  TUNNEL_SHAPE,
} from './layout';
import {
  flowSourceHigh,
  flowSourceLow,
  flowSourcePort,
  flowTargetHigh,
  flowTargetLow,
  flowTargetPort,
} from './flow';
import { carve } from './region';
import { inside } from './selector';

const USED: usize = 0;
const ACTIVE: usize = 4;
const SEEN: usize = 8;
const LAST: usize = 12;
const IDENTIFICATION: usize = 16;
const BLOCK: usize = 32;
const RECORD_BYTES: u32 = <u32>BLOCK + TUNNEL_PARAMS_BYTES;

let table: usize = 0;

export function initialiseTunnels(): void {
  table = carve(TUNNELS * RECORD_BYTES);
}

@inline
function record(tunnel: u32): usize {
  return table + tunnel * RECORD_BYTES;
}

/** Address of the tunnel's parameter block. */
@inline
export function tunnelBlock(tunnel: u32): usize {
  return record(tunnel) + BLOCK;
}

@inline
export function tunnelUsed(tunnel: u32): bool {
  return load<u32>(record(tunnel), USED) != 0;
}

@inline
export function tunnelShape(tunnel: u32): u32 {
  return load<u32>(tunnelBlock(tunnel), TUNNEL_SHAPE);
}

/** The active outbound SA's slot, or -1. */
@inline
export function tunnelActive(tunnel: u32): i32 {
  return load<i32>(record(tunnel), ACTIVE);
}

export function setTunnelActive(tunnel: u32, slot: i32): void {
  store<i32>(record(tunnel), slot, ACTIVE);
}

/** Delivery addresses are the tunnel's business only with `gre-tunnel`, and with `gre-plain` where they were given. */
@inline
export function tunnelDeliveryFamily(tunnel: u32): u32 {
  return load<u32>(tunnelBlock(tunnel), TUNNEL_DELIVERY_FAMILY);
}

/**
 * Takes over the block at PARAMS. A tunnel that is configured anew (another MTU, other routes) under the same GRE key goes
 * on where it was: numbers never run backwards, for a peer would discard them.
 */
export function configureTunnel(tunnel: u32): void {
  const r = record(tunnel);
  const block = r + BLOCK;
  const again = load<u32>(r, USED) != 0;
  const sameGre =
    again &&
    load<u32>(block, TUNNEL_GRE_KEY) == load<u32>(PARAMS, TUNNEL_GRE_KEY) &&
    load<u32>(block, TUNNEL_SHAPE) == load<u32>(PARAMS, TUNNEL_SHAPE);
  const next = load<u32>(block, TUNNEL_GRE_NEXT);
  memory.copy(block, PARAMS, TUNNEL_PARAMS_BYTES);
  if (sameGre) {
    if (<i32>(load<u32>(block, TUNNEL_GRE_NEXT) - next) < 0) store<u32>(block, next, TUNNEL_GRE_NEXT);
  } else {
    store<u32>(r, 0, SEEN);
  }
  if (again) return;
  store<u32>(r, 1, USED);
  store<i32>(r, -1, ACTIVE);
  store<u32>(r, 0, IDENTIFICATION);
}

export function forgetTunnel(tunnel: u32): void {
  memory.fill(record(tunnel), 0, RECORD_BYTES);
  setTunnelActive(tunnel, -1);
}

/** The tunnel for the packet of the last readFlow: the first whose selectors match, or -1. */
export function chooseTunnel(): i32 {
  for (let tunnel: u32 = 0; tunnel < <u32>TUNNELS; tunnel++) {
    if (!tunnelUsed(tunnel)) continue;
    const block = tunnelBlock(tunnel);
    const locals = block + TUNNEL_SELECTORS;
    const localCount = load<u32>(block, TUNNEL_LOCAL_COUNT);
    if (
      inside(locals, localCount, flowSourceHigh, flowSourceLow, flowSourcePort) &&
      inside(
        locals + localCount * SELECTOR_BYTES,
        load<u32>(block, TUNNEL_REMOTE_COUNT),
        flowTargetHigh,
        flowTargetLow,
        flowTargetPort,
      )
    )
      return tunnel;
  }
  return -1;
}

/** May the packet of the last readFlow come out of this tunnel: source in its remote, destination in its local ranges? */
export function admits(tunnel: u32): bool {
  const block = tunnelBlock(tunnel);
  const locals = block + TUNNEL_SELECTORS;
  const localCount = load<u32>(block, TUNNEL_LOCAL_COUNT);
  return (
    inside(
      locals + localCount * SELECTOR_BYTES,
      load<u32>(block, TUNNEL_REMOTE_COUNT),
      flowSourceHigh,
      flowSourceLow,
      flowSourcePort,
    ) && inside(locals, localCount, flowTargetHigh, flowTargetLow, flowTargetPort)
  );
}

/** The GRE sequence number for the packet now being sealed; counts on where the tunnel sends them. */
export function takeGreSequence(tunnel: u32): u32 {
  const block = tunnelBlock(tunnel);
  const next = load<u32>(block, TUNNEL_GRE_NEXT);
  if (load<u32>(block, TUNNEL_GRE_FLAGS) & GRE_SEQUENCE) store<u32>(block, next + 1, TUNNEL_GRE_NEXT);
  return next;
}

export function greSequence(tunnel: u32): u32 {
  return load<u32>(tunnelBlock(tunnel), TUNNEL_GRE_NEXT);
}

/**
 * Is this GRE sequence number newer than the last (RFC 2890 §2.2: the last and the 2^31 - 1 before it are old)? If so it
 * is now the last. The first one ever seen counts as newer, whatever it is: our tunnel may be younger than the peer's.
 */
export function acceptGreSequence(tunnel: u32, sequence: u32): bool {
  const r = record(tunnel);
  if (load<u32>(r, SEEN) && <i32>(sequence - load<u32>(r, LAST)) <= 0) return false;
  store<u32>(r, 1, SEEN);
  store<u32>(r, sequence, LAST);
  return true;
}

/** Identification for a delivery header without DF: not repeated for 65,536 packets (RFC 6864 §4.3). */
export function takeIdentification(tunnel: u32): u32 {
  const r = record(tunnel);
  const id = load<u32>(r, IDENTIFICATION);
  store<u32>(r, (id + 1) & 0xffff, IDENTIFICATION);
  return id;
}
