// The exported ABI of core.wasm, and nothing else. Arguments are slots, counts, SPIs and times; everything larger lies in
// linear memory as assembly/layout.ts says. main/core is the only caller and checks arguments.
import { transformAccelerate } from './crypto/transform';
import { initialiseEncapsulation } from './encapsulate';
import { initialiseFragmentation } from './fragment';
import { INBOUND_SAS, OUTBOUND_SAS, PARAMS, SA_SPI, TUNNELS } from './layout';
import { initialiseMerging } from './merge';
import { initialiseOpening } from './open';
import { fulfil, initialisePark } from './park';
import { forgetFragments, initialiseReassembly } from './reassembly';
import {
  inboundSa,
  initialiseSas,
  installInbound as install,
  outboundSa,
  removeSa,
  saContext,
  saTunnel,
  saUsed,
} from './sa';
import { initialiseSegmentation } from './segment';
import { initialiseTooBig } from './too-big';
import { forgetTunnel, initialiseTunnels, setTunnelActive, tunnelActive } from './tunnel';

export { seal, sealDummy } from './seal';
export { open } from './open';
export { expireFragments } from './reassembly';
export { configureTunnel, greSequence } from './tunnel';
export { inboundUse, installOutbound, outboundUse } from './sa';
export { cancelExpected, expect, takeParked } from './park';
export { configureVnet } from './vnet';
export { acceleratorRegion, acceleratorTrial, configureAccelerator } from './crypto/aes-stream';

/** Lays out the core's tables; once, before everything else. */
export function initialise(): void {
  initialiseTunnels();
  initialiseSas();
  initialiseEncapsulation();
  initialiseFragmentation();
  initialiseSegmentation();
  initialiseTooBig();
  initialiseMerging();
  initialiseOpening();
  initialisePark();
  initialiseReassembly();
}

export function activateOutbound(tunnel: u32, slot: u32): void {
  setTunnelActive(tunnel, slot);
}

export function removeOutbound(slot: u32): void {
  const sa = outboundSa(slot);
  if (!saUsed(sa)) return;
  const tunnel = saTunnel(sa);
  if (tunnelActive(tunnel) == <i32>slot) setTunnelActive(tunnel, -1);
  removeSa(sa);
}

export function installInbound(slot: u32): void {
  fulfil(load<u32>(PARAMS, SA_SPI));
  install(slot);
}

/** From now on the accelerator makes this SA's AES keystream; it knows its key as `handle`. */
export function accelerateOutbound(slot: u32, handle: u32): void {
  transformAccelerate(saContext(outboundSa(slot)), handle);
}

export function accelerateInbound(slot: u32, handle: u32): void {
  transformAccelerate(saContext(inboundSa(slot)), handle);
}

export function removeInbound(slot: u32): void {
  removeSa(inboundSa(slot));
}

/** Removes the tunnel with its SAs and half-received packets. */
export function removeTunnel(tunnel: u32): void {
  for (let slot: u32 = 0; slot < <u32>OUTBOUND_SAS; slot++) if (saTunnel(outboundSa(slot)) == tunnel) removeOutbound(slot);
  for (let slot: u32 = 0; slot < <u32>INBOUND_SAS; slot++) if (saTunnel(inboundSa(slot)) == tunnel) removeInbound(slot);
  forgetFragments(tunnel);
  forgetTunnel(tunnel);
}

/** Wipes every key. */
export function close(): void {
  for (let tunnel: u32 = 0; tunnel < <u32>TUNNELS; tunnel++) removeTunnel(tunnel);
}
