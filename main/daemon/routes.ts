// The calls about routes: what a person may add, and where a packet would go.
import type { FieldProblem, Params, Result, RouteAnswer, RouteCall, RouteKind, RoutesView } from '../ipc/contract.ts';
import { EngineError, knownError, knownProblem } from '../ipc/error.ts';
import type { Caller, Implementation } from '../ipc/server.ts';
import { covers, lookUp } from '../net/route/lookup.ts';
import { planRoutes, strictlyCovers } from '../net/route/plan.ts';
import { overridden, restored } from '../profile/edit.ts';
import { isEverything, POINTERS } from '../profile/policy.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileStore } from '../profile/store.ts';
import { wrongNetwork } from '../profile/values.ts';
import {
  type Address,
  formatAddress,
  formatPrefix,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixRange,
} from '../wire/address.ts';
import { type ErrorCode, tell } from '../words/told.ts';
import { attachedNetworks, lockOf } from './describe.ts';
import { type Desk, known, notAllowed } from './desk.ts';

/** As the profile's schema has it. */
const MOST_ROUTES = 60;
const MOST_ANSWERS = 16;
const PATIENCE = 5_000;

export interface RouteCallsOptions {
  readonly desk: Desk;
  readonly store: ProfileStore;
  readonly resolveHost: (name: string) => Promise<readonly Address[]>;
  /** The profile in use; null: none. */
  readonly inUse: () => string | null;
}

type RouteCalls = Pick<Implementation, RouteCall>;

const texts = (prefixes: readonly Prefix[]): readonly string[] => prefixes.map(formatPrefix);

/** The network as it is stored, or undefined. */
function normal(text: string): string | undefined {
  const trimmed = text.trim();
  return wrongNetwork(trimmed) === undefined ? formatPrefix(parsePrefix(trimmed) as Prefix) : undefined;
}

type ProblemCode = Extract<ErrorCode, `routes/${string}`>;

const problem = (
  severity: FieldProblem['severity'],
  code: ProblemCode,
  data?: NonNullable<FieldProblem['data']>,
): FieldProblem => knownProblem('prefix', severity, code, data);

/** What is wrong with this route, were it added; `editing` is the one that it replaces. */
export function routeProblems(
  profile: Profile,
  wish: { readonly prefix: string; readonly kind: RouteKind },
  editing?: { readonly prefix: string; readonly kind: RouteKind },
): readonly FieldProblem[] {
  const text = wish.prefix.trim();
  if (text === '') return [problem('error', 'routes/empty')];
  const lock = lockOf(profile, POINTERS[wish.kind]);
  if (lock) {
    const { code, message, remedy } = notAllowed(profile.name, lock);
    return [{ field: 'kind', severity: 'error', code, message, remedy }];
  }
  if (wrongNetwork(text) !== undefined) {
    const prefix = parsePrefix(text);
    if (!prefix) return [problem('error', 'routes/syntax')];
    const meant = formatPrefix({ address: prefixRange(prefix).start, bits: prefix.bits });
    return [problem('error', 'routes/not-a-network', { meant, alone: text.split('/')[0] ?? text })];
  }
  const here = formatPrefix(parsePrefix(text) as Prefix);
  const prefix = parsePrefix(here) as Prefix;
  const others = (kind: RouteKind): readonly Prefix[] =>
    profile.routes[kind].filter(
      (other) => !(editing?.kind === kind && formatPrefix(other) === (normal(editing.prefix) ?? editing.prefix)),
    );
  const same = (kind: RouteKind): boolean => others(kind).some((other) => formatPrefix(other) === here);
  if (isEverything(here)) return [problem('error', 'routes/everything')];
  if (same(wish.kind)) return [problem('error', 'routes/duplicate')];
  if (same(wish.kind === 'include' ? 'exclude' : 'include')) return [problem('error', 'routes/conflict')];
  if (others(wish.kind).length >= MOST_ROUTES) return [problem('error', 'routes/too-many', { most: MOST_ROUTES })];
  const problems: FieldProblem[] = [];
  const gateway = parseAddress(profile.gateway.host);
  // Our own packets carry a mark that leads them past the tunnel; everything else to this address would enter it.
  if (wish.kind === 'include' && gateway && covers(prefix, gateway))
    problems.push(problem('warning', 'routes/covers-gateway', { gateway: formatAddress(gateway) }));
  const included = others('include');
  if (
    wish.kind === 'exclude' &&
    !profile.routes.fromGateway &&
    !included.some((outer) => strictlyCovers(outer, prefix))
  )
    problems.push(problem('warning', 'routes/no-effect'));
  if (wish.kind === 'include' && profile.policy?.mode !== 'full') {
    const wider = included.find((outer) => strictlyCovers(outer, prefix));
    if (wider && !others('exclude').some((outer) => strictlyCovers(outer, prefix)))
      problems.push(problem('warning', 'routes/covered', { covers: formatPrefix(wider) }));
  }
  return problems;
}

export function routeCalls({ desk, store, resolveHost, inUse }: RouteCallsOptions): RouteCalls {
  const load = async (name: string): Promise<Profile> => {
    try {
      return await store.load(name);
    } catch (error) {
      throw known(error);
    }
  };

  const mustBeRight = (
    profile: Profile,
    caller: Caller,
    wish: { readonly prefix: string; readonly kind: RouteKind },
    editing?: { readonly prefix: string; readonly kind: RouteKind },
  ): string => {
    const asked = caller.role === 'administrator' ? unlocked(profile) : profile;
    const wrong = routeProblems(asked, wish, editing).find(({ severity }) => severity === 'error');
    if (!wrong) return normal(wish.prefix) as string;
    const { field, code, message, remedy, data } = wrong;
    throw new EngineError({ code, message, remedy, data: { ...data, field } });
  };

  /** Networks of one kind with one taken out and one put in, as choices over the profile's own. */
  const choices = (
    profile: Profile,
    kind: RouteKind,
    change: { readonly out?: string; readonly in?: string },
  ): Record<string, unknown> => {
    const kept = texts(profile.routes[kind]).filter((text) => text !== change.out);
    const next =
      change.in === undefined
        ? kept
        : [...kept.filter((text) => !isEverything(text)), change.in, ...kept.filter(isEverything)];
    const own = texts((profile.policy?.own.routes ?? profile.routes)[kind]);
    const asOwn = next.length === own.length && next.every((text) => own.includes(text));
    return { [kind]: asOwn ? undefined : next };
  };

  const mustExist = (profile: Profile, { prefix, kind }: { prefix: string; kind: RouteKind }): string => {
    const text = normal(prefix) ?? prefix;
    if (texts(profile.routes[kind]).includes(text)) return text;
    throw knownError('routes/not-found', { field: 'prefix', prefix: text });
  };

  const view = (profile: Profile): RoutesView => desk.routes(profile);

  return {
    routes: async ({ profile }) => view(await load(profile)),

    setRouteMode: async ({ profile, mode }, caller) =>
      view(await desk.edit(profile, caller, [POINTERS.mode], (stored) => overridden(stored, 'routes', { mode }))),

    setRouteOptions: async ({ profile, ...options }, caller) => {
      const pointers = (['allowLan', 'fromGateway'] as const).flatMap((key) =>
        options[key] === undefined ? [] : [POINTERS[key]],
      );
      return view(await desk.edit(profile, caller, pointers, (stored) => overridden(stored, 'routes', options)));
    },

    checkRoute: async ({ profile: name, prefix, kind, editing }, caller) => {
      const profile = await load(name);
      const asked = caller.role === 'administrator' ? unlocked(profile) : profile;
      const problems = routeProblems(asked, { prefix, kind }, editing);
      const refused = problems.some(({ severity }) => severity === 'error');
      return { prefix: refused ? null : (normal(prefix) ?? null), problems };
    },

    addRoute: async ({ profile, prefix, kind }, caller) =>
      view(
        await desk.edit(profile, caller, [POINTERS[kind]], (stored) => {
          const text = mustBeRight(stored.profile, caller, { prefix, kind });
          return overridden(stored, 'routes', choices(stored.profile, kind, { in: text }));
        }),
      ),

    editRoute: async ({ profile, from, to }, caller) =>
      view(
        await desk.edit(profile, caller, [POINTERS[from.kind], POINTERS[to.kind]], (stored) => {
          const out = mustExist(stored.profile, from);
          const text = mustBeRight(stored.profile, caller, to, from);
          if (from.kind === to.kind)
            return overridden(stored, 'routes', choices(stored.profile, to.kind, { out, in: text }));
          return overridden(stored, 'routes', {
            ...choices(stored.profile, from.kind, { out }),
            ...choices(stored.profile, to.kind, { in: text }),
          });
        }),
      ),

    removeRoute: async ({ profile, prefix, kind }, caller) =>
      view(
        await desk.edit(profile, caller, [POINTERS[kind]], (stored) => {
          const out = mustExist(stored.profile, { prefix, kind });
          if (isEverything(out)) return overridden(stored, 'routes', { mode: 'split' });
          return overridden(stored, 'routes', choices(stored.profile, kind, { out }));
        }),
      ),

    resetRoutes: async ({ profile }, caller) =>
      view(await desk.edit(profile, caller, ['/routes'], (stored) => restored(stored, 'routes'))),

    routeLookup: async (params) => lookup(params),
  };

  async function lookup({ target, profile: asked }: Params<'routeLookup'>): Promise<Result<'routeLookup'>> {
    const name = asked ?? inUse();
    if (name === null) throw knownError('routes/no-profile', { field: 'profile' });
    const profile = await load(name);
    const addresses = await addressesOf(target.trim());
    const tunnel = desk.tunnelOf(name);
    const known = view(profile);
    const attached = attachedNetworks(tunnel?.interfaceName ?? null);
    const networks = (list: readonly string[]): readonly Prefix[] => list.flatMap((text) => parsePrefix(text) ?? []);
    const plan = planRoutes(
      {
        interfaceName: tunnel?.interfaceName ?? 'tunnel',
        include: tunnel ? networks(tunnel.routes.include) : profile.routes.include,
        exclude: tunnel ? networks(tunnel.routes.exclude) : profile.routes.exclude,
        allowLan: profile.routes.allowLan,
        unreachable: networks(tunnel?.routes.blocked ?? []),
      },
      attached,
    );
    // The kernel itself routes the network that the tunnel's own address is in.
    const onLink = tunnel ? networks(tunnel.addresses) : (profile.gre?.address ?? []);

    const answer = (address: Address): RouteAnswer => {
      const text = formatAddress(address);
      const route = lookUp(plan, address);
      const direct = onLink.find((prefix) => covers(prefix, address));
      if (direct && (!route || route.type === 'throw')) {
        const own = formatPrefix({ address: prefixRange(direct).start, bits: direct.bits });
        return { address: text, way: 'tunnel', rule: null, because: tell('route.own', { prefix: own }) };
      }
      if (!route) return { address: text, way: 'direct', rule: null, because: tell('route.uncovered') };
      const prefix = formatPrefix({ address: prefixRange(route.prefix).start, bits: route.prefix.bits });
      const kind = route.type === 'throw' ? 'exclude' : 'include';
      const entry = known.entries.find((one) => one.prefix === prefix && one.kind === kind);
      const rule = { prefix, kind, origin: entry?.origin ?? (kind === 'exclude' ? 'lan' : 'profile') } as const;
      switch (route.type) {
        case 'unicast':
          return { address: text, way: 'tunnel', rule, because: tell('route.included', { prefix }) };
        case 'unreachable':
          return { address: text, way: 'blocked', rule, because: tell('route.noFamily', { prefix }) };
        case 'throw': {
          const because = tell(rule.origin === 'lan' ? 'route.attached' : 'route.excluded', { prefix });
          return { address: text, way: 'direct', rule, because };
        }
      }
    };
    return { target: target.trim(), profile: name, live: tunnel !== null, answers: addresses.map(answer) };
  }

  async function addressesOf(target: string): Promise<readonly Address[]> {
    const literal = parseAddress(target);
    if (literal) return [literal];
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251})$/.test(target) || /^[\d.]+$/.test(target))
      throw knownError('routes/target', { field: 'target', target });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly Address[]>((resolve) => {
      timer = setTimeout(() => resolve([]), PATIENCE);
    });
    try {
      const found = await Promise.race([resolveHost(target), late]).catch(() => []);
      if (found.length === 0) throw knownError('routes/unresolved', { field: 'target', target });
      return found.slice(0, MOST_ANSWERS);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** As an administrator sees it: nothing is locked. */
const unlocked = (profile: Profile): Profile =>
  profile.policy ? { ...profile, policy: { ...profile.policy, locked: [] } } : profile;
