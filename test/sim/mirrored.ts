// A CHILD SA as the other end has to have it, where no NAT stands between. `peer` is each end's own view and is left out.

import { expect } from 'vitest';
import type { ChildSa } from '../../main/ike/child-sa.ts';

export function mirrored(child: ChildSa): ChildSa {
  return {
    ...child,
    spiIn: child.spiOut,
    spiOut: child.spiIn,
    keyIn: child.keyOut,
    saltIn: child.saltOut,
    keyOut: child.keyIn,
    saltOut: child.saltIn,
    local: child.remote,
    remote: child.local,
    peer: expect.anything(),
  };
}
