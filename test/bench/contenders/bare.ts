// The veth pair itself: what no tunnel can beat.
import { between, OUTER, type Recipe } from './contender.ts';

export function bare(): Recipe {
  const who = { product: 'bare', name: 'bare veth' } as const;
  return {
    ...who,
    missing: undefined,
    open: (link) => between(who, link, async () => ({ address: OUTER.gw, engine: [], started: undefined })),
  };
}
