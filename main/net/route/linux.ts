// Routes on Linux: one table of our own, one rule per family that leads to it.
//
//   ip rule   0       lookup local
//             31750   not fwmark 0x4750 lookup 4750      ◀ ours: whatever the tunnel's own sockets did not send
//             32766   lookup main
//   table 4750        see plan.ts
//
// So the main table is never touched, routes of others keep their meaning inside what we `throw`, and the tunnel's own
// datagrams (SO_MARK 0x4750) never see our table, even under 0.0.0.0/0. Nothing needs to be remembered: priority, mark,
// table and protocol say what is ours, and cleanUp removes exactly that.
//
// Under every route into the TUN lies one that needs no device: `unreachable <prefix> metric 4294967294`. Where the TUN or
// its last address goes, the kernel takes the routes through it away, and the traffic is refused instead of leaking.
// So when the process dies (kill -9), what was meant for the tunnel stays blocked until cleanUp, which the next start of
// the engine does first of all.
import { type Address, formatAddress } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { createTurns } from '../in-turn.ts';
import { type Runner, runOrError, systemRunner } from '../runner.ts';
import type { DesiredRoutes, RouteTable } from './api.ts';
import { planRoutes, type TableRoute, withFallbacks } from './plan.ts';
import { loosen, restore } from './reverse-path.ts';
import { change, difference, type Family, type FamilyState, MARK, readAttached, readState, TABLE } from './table.ts';

const FAMILIES: readonly Family[] = [4, 6];
const EMPTY: ReadonlyMap<string, TableRoute> = new Map();

export function linuxRouteTable(runner: Runner = systemRunner): RouteTable {
  const inTurn = createTurns();
  return {
    mark: MARK,
    apply: (desired) => inTurn(() => apply(runner, desired)),
    wayTo: (remote) => wayTo(runner, remote),
    close: () => inTurn(() => close(runner)),
    cleanUp: () => inTurn(() => cleanUp(runner)),
  };
}

async function apply(runner: Runner, desired: DesiredRoutes): Promise<NetError | undefined> {
  const before = new Map<Family, FamilyState>();
  for (const family of FAMILIES) {
    const state = await readState(runner, family);
    if (state instanceof NetError) return state;
    if (state) before.set(family, state);
    else if (desired.include.some((prefix) => prefix.address.length === (family === 4 ? 4 : 16)))
      return new NetError({
        code: 'unsupported',
        message: `This machine's kernel has no IPv${family} policy routing, but the profile routes IPv${family}.`,
        operation: `ip -${family} rule show`,
        remedy: `Enable IPv${family}, or take its prefixes out of the profile's routes.`,
      });
  }

  const failed = await applyFamilies(runner, desired, before);
  if (!failed) return undefined;
  // Half done is worse than not done: back to what held before, whatever of it can be reached.
  for (const [family, state] of before) {
    const now = await readState(runner, family);
    if (now instanceof NetError || !now) continue;
    await change(runner, family, difference(now, state.routes));
    if (family === 4 && state.markers.length === 0) await restore(runner, now);
  }
  return failed;
}

async function applyFamilies(
  runner: Runner,
  desired: DesiredRoutes,
  before: ReadonlyMap<Family, FamilyState>,
): Promise<NetError | undefined> {
  for (const [family, state] of before) {
    const attached = await readAttached(runner, family, desired.interfaceName);
    if (attached instanceof NetError) return attached;
    const plan = withFallbacks(planRoutes(desired, attached.networks));
    for (const [to, route] of plan) if ((route.prefix.address.length === 4 ? 4 : 6) !== family) plan.delete(to);
    if (family === 4) {
      const captures = [...plan.values()].some((route) => route.type === 'unicast');
      const error = captures ? await loosen(runner, attached.devices) : void (await restore(runner, state));
      if (error) return error;
    }
    const error = await change(runner, family, difference(state, plan));
    if (error) return error;
  }
  return undefined;
}

/** The index, because another interface may have the name of one that is gone; the router, because the network may be another one. */
async function wayTo(runner: Runner, remote: Address): Promise<string | undefined> {
  const family = remote.length === 4 ? '-4' : '-6';
  const route = await runOrError(runner, 'ip', [
    '-json',
    family,
    'route',
    'get',
    formatAddress(remote),
    'mark',
    `${MARK}`,
  ]);
  if (route instanceof NetError) return undefined;
  const [hop] = JSON.parse(route || '[]') as readonly { readonly dev?: string; readonly gateway?: string }[];
  if (!hop?.dev) return undefined;
  const link = await runOrError(runner, 'ip', ['-json', 'link', 'show', 'dev', hop.dev]);
  if (link instanceof NetError) return undefined;
  const [found] = JSON.parse(link || '[]') as readonly { readonly ifindex?: number }[];
  return `${hop.dev} (${found?.ifindex ?? '?'})${hop.gateway ? ` by ${hop.gateway}` : ''}`;
}

interface Removal {
  /** In words. */
  readonly removed: string[];
  /** What failed first; the rest was done nevertheless. */
  readonly failed: NetError | undefined;
}

/** Removes our rules, routes and settings, of this run or any other. Goes on where one step fails. */
async function removeAll(runner: Runner): Promise<Removal> {
  const removed: string[] = [];
  let failed: NetError | undefined;
  for (const family of FAMILIES) {
    const state = await readState(runner, family);
    if (state instanceof NetError) failed ??= state;
    if (state instanceof NetError || !state) continue;
    const rules = await change(runner, family, difference({ rules: state.rules, routes: new Map() }, EMPTY));
    failed ??= rules;
    if (state.rules > 0 && !rules) removed.push(`IPv${family} rule for table ${TABLE}`);
    if (family === 4) removed.push(...(await restore(runner, state)));
    if (state.routes.size === 0) continue;
    const flushed = await runOrError(runner, 'ip', [`-${family}`, 'route', 'flush', 'table', String(TABLE)]);
    if (flushed instanceof NetError) failed ??= flushed;
    else removed.push(`${state.routes.size} IPv${family} route${state.routes.size === 1 ? '' : 's'} in table ${TABLE}`);
  }
  return { removed, failed };
}

/** What fails once may have met somebody else's change; what fails twice has to be said. */
async function cleanUp(runner: Runner): Promise<readonly string[]> {
  const first = await removeAll(runner);
  if (!first.failed) return first.removed;
  const second = await removeAll(runner);
  if (second.failed) throw second.failed;
  return [...first.removed, ...second.removed];
}

async function close(runner: Runner): Promise<void> {
  await cleanUp(runner);
}
