// The calls that say what is wrong: gathers the facts, and has main/diagnose judge them.
import { access, constants } from 'node:fs/promises';
import { release } from 'node:os';
import { dropsOf, type Facts, runChecks } from '../diagnose/checks.ts';
import { makeReport } from '../diagnose/report.ts';
import type { ContractError, PathTest, Result, Status } from '../ipc/contract.ts';
import type { Implementation } from '../ipc/server.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileStore } from '../profile/store.ts';
import { type Address, formatAddress } from '../wire/address.ts';
import { detailsOf } from './describe.ts';
import { type Desk, known } from './desk.ts';
import { type EngineLog, fitting } from './log.ts';
import type { PortAnswer } from './reach.ts';

export interface DiagnosticsOptions {
  readonly desk: Desk;
  readonly store: ProfileStore;
  readonly log: EngineLog;
  readonly status: () => Status;
  readonly lastError: () => ContractError | null;
  readonly pathTest: () => PathTest;
  /** The profile in use, or used last; null: none. */
  readonly inUse: () => string | null;
  readonly resolveHost: (name: string) => Promise<readonly Address[]>;
  readonly askPort: (address: Address, port: number, marker: boolean) => Promise<PortAnswer>;
  readonly now: () => number;
}

const LOG_LINES = 500;
/** Of these lines, which are in the report twice. */
const LOG_BYTES = 256 * 1024;
const PATIENCE = 4_000;

export function diagnosticCalls(options: DiagnosticsOptions): Pick<Implementation, 'checks' | 'report'> {
  const { desk, store, log, status, now } = options;

  const profileOf = async (asked: string | undefined): Promise<Profile | null> => {
    if (asked !== undefined) {
      try {
        return await store.load(asked);
      } catch (error) {
        throw known(error);
      }
    }
    const name = options.inUse();
    // Removed, or damaged, while it was in use: checks of the computer are left.
    return name === null ? null : store.load(name).catch(() => null);
  };

  const gatewayOf = async (profile: Profile): Promise<{ found: readonly Address[]; error: string | null }> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Late()), PATIENCE);
    });
    try {
      return { found: await Promise.race([options.resolveHost(profile.gateway.host), late]), error: null };
    } catch (error) {
      return { found: [], error: error instanceof Late ? 'late' : codeOf(error) };
    } finally {
      clearTimeout(timer);
    }
  };

  const gather = async (profile: Profile | null): Promise<Facts> => {
    const { engine: state, traffic } = status();
    const gateway = profile ? await gatewayOf(profile) : null;
    const address = gateway?.found[0];
    // While the tunnel's routes are there, a question of ours might go into the tunnel itself.
    const idle = state.state === 'disconnected' || state.state === 'failed';
    const ports =
      profile && address && idle && profile.tunnel.shape !== 'gre-plain'
        ? await Promise.all([
            options.askPort(address, profile.gateway.port, false),
            options.askPort(address, profile.gateway.nattPort, true),
          ])
        : null;
    const test = options.pathTest();
    const last = test.state === 'idle' ? test.last : null;
    return {
      state,
      traffic,
      lastError: options.lastError(),
      now: now(),
      tun: await tunProblem(),
      gateway:
        profile && gateway
          ? { host: profile.gateway.host, addresses: gateway.found.map(formatAddress), error: gateway.error }
          : null,
      ports,
      path: last && last.profile === profile?.name ? { works: last.path, assumed: last.assumed } : null,
    };
  };

  const judge = async (profile: Profile | null): Promise<Result<'checks'>> => {
    const facts = await gather(profile);
    return { checks: runChecks(facts), drops: dropsOf(facts.traffic), lastError: facts.lastError };
  };

  return {
    checks: async ({ profile }) => judge(await profileOf(profile)),
    report: async ({ profile: asked }) => {
      const profile = await profileOf(asked);
      const { checks, drops } = await judge(profile);
      const here = status();
      return makeReport({
        made: now(),
        system: {
          culvert: here.version,
          node: process.version,
          platform: `${process.platform} ${release()} ${process.arch}`,
          user: String(process.getuid?.() ?? 'unknown'),
        },
        status: here,
        profile: profile ? detailsOf(profile) : null,
        routes: profile ? desk.routes(profile) : null,
        mtu: profile ? desk.mtu(profile) : null,
        checks,
        drops,
        log: fitting(log.newest(LOG_LINES), LOG_BYTES),
        clean: log.clean,
      });
    },
  };
}

class Late extends Error {}

/** "ENOTFOUND", "SERVFAIL", …: the same in every language. */
function codeOf(error: unknown): string {
  const { code } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException;
  return code ?? String(error);
}

async function tunProblem(): Promise<string | null> {
  try {
    await access('/dev/net/tun', constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
