// The calls about routes: what a person may add, and where a packet would go.
import type { FieldProblem, Params, Result, RouteAnswer, RouteKind, RoutesView } from '../ipc/contract.ts';
import { EngineError } from '../ipc/error.ts';
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

type RouteCalls = Pick<
  Implementation,
  | 'routes'
  | 'setRouteMode'
  | 'setRouteOptions'
  | 'checkRoute'
  | 'addRoute'
  | 'editRoute'
  | 'removeRoute'
  | 'resetRoutes'
  | 'routeLookup'
>;

const texts = (prefixes: readonly Prefix[]): readonly string[] => prefixes.map(formatPrefix);

/** The network as it is stored, or undefined. */
function normal(text: string): string | undefined {
  const trimmed = text.trim();
  return wrongNetwork(trimmed) === undefined ? formatPrefix(parsePrefix(trimmed) as Prefix) : undefined;
}

const problem = (
  field: 'prefix' | 'kind',
  severity: FieldProblem['severity'],
  code: string,
  message: string,
  remedy: string,
  data?: FieldProblem['data'],
): FieldProblem => ({ field, severity, code: `routes/${code}`, message, remedy, ...(data ? { data } : {}) });

/** What is wrong with this route, were it added; `editing` is the one that it replaces. */
export function routeProblems(
  profile: Profile,
  wish: { readonly prefix: string; readonly kind: RouteKind },
  editing?: { readonly prefix: string; readonly kind: RouteKind },
): readonly FieldProblem[] {
  const text = wish.prefix.trim();
  if (text === '')
    return [problem('prefix', 'error', 'empty', 'A network is missing.', 'Write it like 10.0.0.0/8 or 2001:db8::/32.')];
  const lock = lockOf(profile, POINTERS[wish.kind]);
  if (lock) {
    const { code, message, remedy } = notAllowed(profile.name, lock);
    return [{ field: 'kind', severity: 'error', code, message, remedy }];
  }
  const wrong = wrongNetwork(text);
  if (wrong !== undefined) {
    const prefix = parsePrefix(text);
    const meant = prefix ? formatPrefix({ address: prefixRange(prefix).start, bits: prefix.bits }) : null;
    return [
      problem(
        'prefix',
        'error',
        prefix ? 'not-a-network' : 'syntax',
        `${text} ${wrong}`,
        meant
          ? `Write ${meant} for the network, or ${text.split('/')[0]} for this address alone.`
          : 'Write it like 10.0.0.0/8 or 2001:db8::/32.',
        meant ? { meant } : undefined,
      ),
    ];
  }
  const here = formatPrefix(parsePrefix(text) as Prefix);
  const prefix = parsePrefix(here) as Prefix;
  const others = (kind: RouteKind): readonly Prefix[] =>
    profile.routes[kind].filter(
      (other) => !(editing?.kind === kind && formatPrefix(other) === (normal(editing.prefix) ?? editing.prefix)),
    );
  const same = (kind: RouteKind): boolean => others(kind).some((other) => formatPrefix(other) === here);
  const other = wish.kind === 'include' ? 'exclude' : 'include';
  if (isEverything(here))
    return [
      wish.kind === 'include'
        ? problem(
            'prefix',
            'error',
            'everything',
            `${here} is everything.`,
            'Choose "everything through the tunnel" instead.',
          )
        : problem(
            'prefix',
            'error',
            'everything',
            `Without ${here} nothing would be left.`,
            'Exclude a smaller network.',
          ),
    ];
  if (same(wish.kind))
    return [problem('prefix', 'error', 'duplicate', `${here} is in the list already.`, 'Nothing needs to be added.')];
  if (same(other))
    return [
      problem(
        'prefix',
        'error',
        'conflict',
        `${here} is ${other}d already.`,
        'Change that one, or choose a smaller network.',
      ),
    ];
  if (others(wish.kind).length >= MOST_ROUTES)
    return [
      problem(
        'prefix',
        'error',
        'too-many',
        `There are ${MOST_ROUTES} already, which is the most.`,
        'Combine some of them.',
      ),
    ];
  const problems: FieldProblem[] = [];
  const gateway = parseAddress(profile.gateway.host);
  // Our own packets carry a mark that leads them past the tunnel; everything else to this address would enter it.
  if (wish.kind === 'include' && gateway && covers(prefix, gateway))
    problems.push(
      problem(
        'prefix',
        'warning',
        'covers-gateway',
        `${here} covers the gateway itself, ${formatAddress(gateway)}.`,
        'The tunnel finds its own way all the same; other traffic for the gateway goes through the tunnel.',
        { gateway: formatAddress(gateway) },
      ),
    );
  const included = others('include');
  if (
    wish.kind === 'exclude' &&
    !profile.routes.fromGateway &&
    !included.some((outer) => strictlyCovers(outer, prefix))
  )
    problems.push(
      problem(
        'prefix',
        'warning',
        'no-effect',
        `No included network covers ${here}: it goes past the tunnel anyway.`,
        'It may stay.',
      ),
    );
  if (wish.kind === 'include' && profile.policy?.mode !== 'full') {
    const wider = included.find((outer) => strictlyCovers(outer, prefix));
    if (wider && !others('exclude').some((outer) => strictlyCovers(outer, prefix)))
      problems.push(
        problem('prefix', 'warning', 'covered', `${formatPrefix(wider)} covers ${here} already.`, 'It may stay.', {
          covers: formatPrefix(wider),
        }),
      );
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
    const { field, code, message, remedy } = wrong;
    throw new EngineError({ code, message, remedy, data: { field } });
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
    throw new EngineError({
      code: 'routes/not-found',
      message: `${text} is not among the networks that are ${kind}d.`,
      remedy: 'Somebody else may have removed it; what comes from the gateway or the network itself cannot be removed.',
      data: { field: 'prefix' },
    });
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
    if (name === null)
      throw new EngineError({
        code: 'routes/no-profile',
        message: 'There is no connection whose routes could be looked at.',
        remedy: 'Connect, or choose a profile.',
        data: { field: 'profile' },
      });
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
      if (direct && (!route || route.type === 'throw'))
        return {
          address: text,
          way: 'tunnel',
          rule: null,
          because: `${text} is in the tunnel's own network, ${formatPrefix({ address: prefixRange(direct).start, bits: direct.bits })}.`,
        };
      if (!route)
        return { address: text, way: 'direct', rule: null, because: `No network of the tunnel covers ${text}.` };
      const prefix = formatPrefix({ address: prefixRange(route.prefix).start, bits: route.prefix.bits });
      const kind = route.type === 'throw' ? 'exclude' : 'include';
      const entry = known.entries.find((one) => one.prefix === prefix && one.kind === kind);
      const rule = { prefix, kind, origin: entry?.origin ?? (kind === 'exclude' ? 'lan' : 'profile') } as const;
      switch (route.type) {
        case 'unicast':
          return { address: text, way: 'tunnel', rule, because: `${prefix} goes through the tunnel.` };
        case 'unreachable':
          return {
            address: text,
            way: 'blocked',
            rule,
            because: `${prefix} should go through the tunnel, which has no address of that family: it is refused.`,
          };
        case 'throw':
          return {
            address: text,
            way: 'direct',
            rule,
            because:
              rule.origin === 'lan'
                ? `${prefix} is a network that this computer is attached to.`
                : `${prefix} is excluded from the tunnel.`,
          };
      }
    };
    return { target: target.trim(), profile: name, live: tunnel !== null, answers: addresses.map(answer) };
  }

  async function addressesOf(target: string): Promise<readonly Address[]> {
    const literal = parseAddress(target);
    if (literal) return [literal];
    const wrong = (message: string, remedy: string): EngineError =>
      new EngineError({ code: 'routes/target', message, remedy, data: { field: 'target' } });
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251})$/.test(target) || /^[\d.]+$/.test(target))
      throw wrong(`"${target}" is neither an address nor a name.`, 'Write it like 10.1.2.3 or intranet.example.com.');
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
      });
      const found = await Promise.race([resolveHost(target), late]);
      if (found.length > 0) return found.slice(0, MOST_ANSWERS);
      throw new Error('it has no address');
    } catch (error) {
      throw wrong(
        `The name ${target} could not be resolved: ${error instanceof Error ? error.message : error}.`,
        'Check its spelling; a name of the company may need the tunnel to be up.',
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

/** As an administrator sees it: nothing is locked. */
const unlocked = (profile: Profile): Profile =>
  profile.policy ? { ...profile, policy: { ...profile.policy, locked: [] } } : profile;
