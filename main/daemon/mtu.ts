// The calls about packet sizes: what they are, what a person chooses, and the test of the path.
import type { Events, MtuCall, PathTest, PathTestResult } from '../ipc/contract.ts';
import { knownError } from '../ipc/error.ts';
import type { Implementation } from '../ipc/server.ts';
import { createPathSearch } from '../mtu/search.ts';
import { overridden } from '../profile/edit.ts';
import { POINTERS } from '../profile/policy.ts';
import type { ProfileStore } from '../profile/store.ts';
import type { Session } from '../session/deps.ts';
import { type Told, tell } from '../words/told.ts';
import { type Desk, known } from './desk.ts';

export interface MtuCallsOptions {
  readonly desk: Desk;
  readonly store: ProfileStore;
  readonly publish: <E extends keyof Events>(event: E, data: Events[E]) => void;
  /** The session that runs, with its profile's name; null: none. */
  readonly active: () => { readonly profile: string; readonly session: Session } | null;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

export interface MtuCalls {
  readonly calls: Pick<Implementation, MtuCall>;
  readonly test: PathTest;
  /** The connection is gone: a test under way ends. */
  cancel(): void;
}

/** Ethernet's. Larger links are rare and their tunnels small in number. */
const USUAL_PATH = 1500;
const LEAST = { 4: 576, 6: 1280 } as const;

export function mtuCalls({ desk, store, publish, active, now }: MtuCallsOptions): MtuCalls {
  let test: PathTest = { state: 'idle', last: null };
  let cancelled: (() => void) | null = null;

  const show = (next: PathTest): void => {
    test = next;
    publish('pathTest', test);
  };

  async function run(): Promise<PathTestResult> {
    const here = active();
    const state = here?.session.state;
    if (!here || state?.state !== 'connected') throw knownError('daemon/not-connected');
    if (state.tunnel.encapsulation === 'raw' && state.tunnel.shape === 'gre-plain')
      throw knownError('daemon/path-test');
    if (cancelled) throw knownError('daemon/testing');
    const { profile, session } = here;
    let stop = false;
    const stopped = new Promise<'stopped'>((resolve) => {
      cancelled = () => {
        stop = true;
        resolve('stopped');
      };
    });
    const last = test.state === 'idle' ? test.last : null;
    const { mtu, gateway } = state.tunnel;
    const assumed = mtu.path ?? USUAL_PATH;
    const search = createPathSearch({
      least: LEAST[gateway.startsWith('[') ? 6 : 4],
      most: Math.max(USUAL_PATH, assumed),
    });
    const probes = new Map<number, { tries: number; arrived: boolean; milliseconds: number | null }>();
    try {
      for (let size = search.next; size !== null; size = search.next) {
        const { works, fails, progress } = search;
        show({ state: 'running', profile, progress, probing: size, works, fails });
        const outcome = await Promise.race([session.probe(size), stopped]);
        if (stop || outcome === 'stopped') throw knownError('daemon/test-cancelled');
        if (outcome.kind === 'unavailable') throw knownError('daemon/path-test');
        const arrived = outcome.kind === 'arrived';
        const milliseconds = arrived ? outcome.milliseconds : null;
        probes.set(size, { tries: (probes.get(size)?.tries ?? 0) + 1, arrived, milliseconds });
        search.tell(arrived ? 'arrived' : outcome.kind === 'too-big' ? 'refused' : 'lost');
      }
    } catch (error) {
      show({ state: 'idle', last });
      throw error;
    } finally {
      cancelled = null;
    }
    const around = (mtu.path ?? 0) - (mtu.computed ?? 0);
    const times = [...probes.values()].flatMap(({ milliseconds }) => milliseconds ?? []).sort((a, b) => a - b);
    const result: PathTestResult = {
      profile,
      path: search.works,
      // The padding's part of the overhead differs by a few bytes from size to size; the engine computes it when it is used.
      mtu: search.works === null || mtu.computed === undefined ? null : Math.max(0, search.works - around),
      assumed,
      probes: [...probes].map(([size, probe]) => ({ size, ...probe })),
      roundTrip: times[Math.floor(times.length / 2)] ?? null,
      finished: now(),
      verdict: verdict(search.works, assumed),
    };
    show({ state: 'idle', last: result });
    return result;
  }

  return {
    calls: {
      mtu: async ({ profile }) => {
        try {
          return desk.mtu(await store.load(profile));
        } catch (error) {
          throw known(error);
        }
      },
      setMtu: async ({ profile, choice }, caller) => {
        const pointers =
          choice.mode === 'automatic' && choice.path !== undefined ? [POINTERS.value, POINTERS.path] : [POINTERS.value];
        const next = await desk.edit(profile, caller, pointers, (stored) => {
          const own = stored.profile.policy?.own.mtu ?? stored.profile.mtu;
          if (choice.mode === 'fixed') return overridden(stored, 'mtu', { value: choice.value });
          return overridden(stored, 'mtu', {
            value: own.value === null ? undefined : null,
            ...(choice.path === undefined ? {} : { path: choice.path === own.path ? undefined : choice.path }),
          });
        });
        return desk.mtu(next);
      },
      pathTest: () => run(),
      cancelPathTest: async () => {
        cancelled?.();
        return {};
      },
    },
    get test() {
      return test;
    },
    cancel: () => cancelled?.(),
  };
}

function verdict(path: number | null, assumed: number): Told {
  if (path === null) return tell('path.none');
  if (path === assumed) return tell('path.fits', { path });
  return tell(path < assumed ? 'path.smaller' : 'path.larger', { path, assumed });
}
