// A CHILD SA as the data plane knows it: the agreed keys, SPIs and limits, translated into the core's parameters.
import type { ChildSa } from '../ike/child-sa.ts';
import type { InboundSaParams, OutboundSaParams } from '../path/command.ts';
import { type Lifetime, lifetimeOf } from './lifetime.ts';

/** What we receive. The keys are the child's own arrays, not copies: wipeKeys once they are installed. */
export function inboundParams(
  child: ChildSa,
  tunnel: number,
  replayWindow: number,
  lifetime: Lifetime = lifetimeOf(child),
): InboundSaParams {
  return {
    spi: child.spiIn,
    tunnel,
    cipher: child.cipher,
    key: child.keyIn,
    salt: child.saltIn,
    integrity: child.integrity,
    integrityKey: child.integrityKeyIn,
    unencrypted: child.unencrypted,
    esn: child.esn,
    ...lifetime,
    replayWindow,
  };
}

/** What we send; keys as above. */
export function outboundParams(
  child: ChildSa,
  tunnel: number,
  lifetime: Lifetime = lifetimeOf(child),
): OutboundSaParams {
  return {
    spi: child.spiOut,
    tunnel,
    cipher: child.cipher,
    key: child.keyOut,
    salt: child.saltOut,
    integrity: child.integrity,
    integrityKey: child.integrityKeyOut,
    unencrypted: child.unencrypted,
    esn: child.esn,
    ...lifetime,
  };
}

/** Zeros over every key and salt of the child: a key is installed once per direction in its life. */
export function wipeKeys(child: ChildSa): void {
  const { keyIn, saltIn, integrityKeyIn, keyOut, saltOut, integrityKeyOut } = child;
  for (const secret of [keyIn, saltIn, integrityKeyIn, keyOut, saltOut, integrityKeyOut]) secret?.fill(0);
}
