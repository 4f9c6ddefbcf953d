// The fake engine's calls about packet sizes, and its test of the path: ten steps, then what a path of 1500 bytes gives.
import { tell } from '../words/told.ts';
import type { MtuCall, PathTest, PathTestResult } from './contract.ts';
import { type EngineError, knownError } from './error.ts';
import type { Handlers, World } from './fake-world.ts';

export interface FakeMtu {
  readonly calls: Pick<Handlers, MtuCall>;
  readonly test: PathTest;
  /** Time has passed. */
  tick(): void;
}

const PATH = 1500;

export function createMtu(world: World): FakeMtu {
  let test: PathTest = { state: 'idle', last: null };
  let asked: { resolve: (result: PathTestResult) => void; reject: (error: EngineError) => void } | null = null;

  const show = (next: PathTest): void => {
    test = next;
    world.publish('pathTest', test);
  };

  return {
    get test() {
      return test;
    },
    tick() {
      if (test.state !== 'running') return;
      const progress = test.progress + 0.1;
      if (progress < 0.999) {
        const probing = 1280 + Math.round((PATH - 1280) * progress);
        show({ state: 'running', profile: test.profile, progress, probing, works: 1280, fails: PATH + 1 });
        return;
      }
      const result: PathTestResult = {
        profile: test.profile,
        path: PATH,
        mtu: 1414,
        assumed: PATH,
        probes: [{ size: PATH, tries: 1, arrived: true, milliseconds: 12 }],
        roundTrip: 12,
        finished: world.now,
        verdict: tell('path.fits', { path: PATH }),
      };
      show({ state: 'idle', last: result });
      asked?.resolve(result);
    },
    calls: {
      mtu: ({ profile }) => world.mtuOf(world.find(profile)),
      setMtu: ({ profile, choice }) => {
        world.demandUnlocked(world.find(profile), '/mtu/value');
        const view = world.mtuOf(
          world.changeProfile(profile, (old) => ({
            ...old,
            mtu:
              choice.mode === 'fixed'
                ? { ...old.mtu, value: choice.value }
                : { ...old.mtu, value: null, path: choice.path ?? old.mtu.path },
            changed: [...new Set([...old.changed, '/mtu/value'])],
          })),
        );
        world.publish('mtu', view);
        return view;
      },
      pathTest: () => {
        if (world.state.state !== 'connected') throw knownError('daemon/not-connected');
        if (test.state === 'running') throw knownError('daemon/testing');
        const { profile } = world.state;
        show({ state: 'running', profile, progress: 0, probing: 1280, works: null, fails: null });
        return new Promise((resolve, reject) => {
          asked = { resolve, reject };
        });
      },
      cancelPathTest: () => {
        show({ state: 'idle', last: null });
        asked?.reject(knownError('daemon/test-cancelled'));
        return {};
      },
    },
  };
}
