import { expect, it } from 'vitest';
import { Arrivals } from '../../main/path/arrivals.ts';

it('counts what was sent and what came, over SAs that come and go', () => {
  const uses = new Map<number, { packets: number; bytes: number; sequence: bigint }>();
  const arrivals = new Arrivals({ inboundUse: (slot) => uses.get(slot) ?? { packets: 0, bytes: 0, sequence: 0n } });
  const seen = () => [arrivals.due, arrivals.arrived];
  arrivals.installed({ kind: 'installInbound', slot: 0 });
  uses.set(0, { packets: 90, bytes: 9000, sequence: 100n });
  arrivals.look(1000);
  expect(seen()).toEqual([100, 90]);
  // Not looked at more often than needed, but it asks to be called again even if nothing more comes.
  uses.set(0, { packets: 91, bytes: 9100, sequence: 101n });
  const wait = arrivals.look(1001);
  expect(seen()).toEqual([100, 90]);
  expect(arrivals.look(1001 + wait)).toBe(-1);
  expect(seen()).toEqual([101, 91]);
  arrivals.installed({ kind: 'installInbound', slot: 1 });
  uses.set(1, { packets: 5, bytes: 50, sequence: 2n ** 33n });
  arrivals.removing({ kind: 'removeInbound', slot: 0 });
  uses.delete(0);
  arrivals.removing({ kind: 'removeInbound', slot: 7 });
  arrivals.look(2000);
  expect(seen()).toEqual([2 ** 33 + 101, 96]);
});
