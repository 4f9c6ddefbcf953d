// The fake engine's checks, report and log: one of each verdict.
import { tell } from '../words/told.ts';
import type { LogEntry } from './contract.ts';
import type { Handlers, World } from './fake-world.ts';
import { passes } from './log-filter.ts';

export interface FakeDiagnostics {
  readonly calls: Pick<Handlers, 'checks' | 'report' | 'logs' | 'samples'>;
  log(entry: Omit<LogEntry, 'time'>): void;
}

export function createDiagnostics(world: World): FakeDiagnostics {
  const entries: LogEntry[] = [];
  return {
    log(entry) {
      const full: LogEntry = { time: world.now, ...entry };
      entries.push(full);
      world.publish('log', full);
    },
    calls: {
      checks: () => {
        const { state } = world;
        const failed = state.state === 'failed';
        return {
          checks: [
            {
              id: 'tun',
              verdict: 'pass',
              title: tell('check.title.tun'),
              found: tell('check.tun.good'),
              cause: null,
              remedy: null,
              data: {},
            },
            {
              id: 'gateway-reachable',
              verdict: failed ? 'fail' : 'pass',
              title: tell('check.title.gateway-reachable'),
              found: failed ? tell('check.reach.none', { silent: ['500', '4500'] }) : tell('check.reach.connected'),
              cause: failed ? tell('check.reach.silent') : null,
              remedy: failed ? tell('check.reach.silent.remedy') : null,
              data: {},
            },
            {
              id: 'mtu-black-hole',
              verdict: 'warn',
              title: tell('check.title.mtu-black-hole'),
              found: tell('check.mtu.oneWay'),
              cause: tell('check.mtu.oneWay.cause'),
              remedy: tell('check.mtu.oneWay.remedy'),
              data: {},
            },
          ],
          drops: [{ name: 'inAuthFailed', meaning: tell('drop.inAuthFailed'), packets: 2 }],
          lastError: failed ? state.error : null,
        };
      },
      report: () => ({ text: 'Culvert report (fake)\n', json: '{"culvert":"0.0.0-fake"}' }),
      logs: ({ lines, filter }) => ({
        entries: lines === 0 ? [] : entries.filter((entry) => passes(entry, filter)).slice(-lines),
      }),
      samples: () => ({ samples: world.samples }),
    },
  };
}
