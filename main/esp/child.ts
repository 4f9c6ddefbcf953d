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
  const { spiIn: spi, keyIn: key, saltIn: salt, integrityKeyIn: integrityKey } = child;
  return { spi, key, salt, integrityKey, ...bothWays(child, tunnel, lifetime), replayWindow };
}

/** What we send; keys as above. */
export function outboundParams(
  child: ChildSa,
  tunnel: number,
  lifetime: Lifetime = lifetimeOf(child),
): OutboundSaParams {
  const { spiOut: spi, keyOut: key, saltOut: salt, integrityKeyOut: integrityKey } = child;
  return { spi, key, salt, integrityKey, ...bothWays(child, tunnel, lifetime) };
}

const bothWays = ({ cipher, integrity, unencrypted, esn }: ChildSa, tunnel: number, lifetime: Lifetime) => ({
  tunnel,
  cipher,
  integrity,
  unencrypted,
  esn,
  ...lifetime,
});

/** Zeros over every key and salt of the child: a key is installed once per direction in its life. */
export function wipeKeys(child: ChildSa): void {
  const { keyIn, saltIn, integrityKeyIn, keyOut, saltOut, integrityKeyOut } = child;
  for (const secret of [keyIn, saltIn, integrityKeyIn, keyOut, saltOut, integrityKeyOut]) secret?.fill(0);
}
