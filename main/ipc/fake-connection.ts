// The fake engine connects: step by step as time passes, or at once; with the failure that a test asked for.
import type { ConnectStep, ContractError, ProfileDetails } from './contract.ts';
import { knownError } from './error.ts';
import { fakeTunnel } from './fake-data.ts';
import { fakeSample, withSample } from './fake-views.ts';
import { type Handlers, NO_TRAFFIC, type World } from './fake-world.ts';

const STEPS: readonly ConnectStep[] = ['resolve', 'socket', 'sa-init', 'auth', 'tun', 'routes'];
/** Ten minutes of the series. */
const MOST_SAMPLES = 600;

export interface FakeConnection {
  readonly calls: Pick<Handlers, 'connect' | 'disconnect' | 'answerPrompt'>;
  /** Milliseconds that each step takes; 0: all at once. */
  pace: number;
  failWith: ContractError | null;
  /** Time has passed. */
  tick(): void;
}

export function createConnection(world: World): FakeConnection {
  let stepAt = 0;
  let sampledAt = world.now;

  const goOn = (): void => {
    const { state } = world;
    if (state.state !== 'connecting') return;
    const step = STEPS[STEPS.indexOf(state.step) + 1];
    if (step) world.setState({ ...state, step });
    else if (here.failWith) world.setState({ state: 'failed', profile: state.profile, error: here.failWith });
    else up(world.find(state.profile));
  };

  const up = (profile: ProfileDetails): void => {
    world.traffic = NO_TRAFFIC;
    world.samples = [];
    sampledAt = world.now;
    const tunnel = fakeTunnel(profile, world.mtuOf(profile).value, world.now);
    world.setState({ state: 'connected', profile: profile.name, tunnel });
  };

  const sample = (): void => {
    sampledAt = world.now;
    const point = fakeSample(world.now);
    world.samples = [...world.samples, point].slice(-MOST_SAMPLES);
    world.traffic = withSample(world.traffic, point);
    world.publish('traffic', world.traffic);
    world.publish('samples', [point]);
  };

  const here: FakeConnection = {
    pace: 0,
    failWith: null,
    tick() {
      if (world.state.state === 'connecting' && here.pace > 0 && world.now >= stepAt) {
        stepAt = world.now + here.pace;
        goOn();
      }
      if (world.state.state === 'connected' && world.now - sampledAt >= 1000) sample();
    },
    calls: {
      connect: ({ profile }) => {
        world.find(profile);
        world.setState({ state: 'connecting', profile, step: 'resolve', attempt: 1 });
        stepAt = world.now + here.pace;
        const done = world.connected();
        if (here.pace === 0) while (world.state.state === 'connecting') goOn();
        return done;
      },
      disconnect: () => {
        if (world.state.state !== 'disconnected') world.setState({ state: 'disconnected', lastError: null });
        return {};
      },
      answerPrompt: ({ id }) => {
        const { state } = world;
        if ((state.state !== 'connecting' && state.state !== 'connected') || state.prompt?.id !== id)
          throw knownError('daemon/no-prompt');
        const { prompt: _, ...rest } = state;
        world.setState(rest);
        return {};
      },
    },
  };
  return here;
}
