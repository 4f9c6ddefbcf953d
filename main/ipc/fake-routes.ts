// The fake engine's calls about routes. Enough for a page: what a packet does is decided by an address's first number, where the real
// engine looks prefixes up.
import { type ErrorCode, tell } from '../words/told.ts';
import type { FieldProblem, ProfileDetails, RouteCall, RouteKind, RoutesView } from './contract.ts';
import { knownProblem } from './error.ts';
import { FAKE_PROFILES } from './fake-data.ts';
import { badPrefix, isPrefix, meantBy, sameStart } from './fake-views.ts';
import type { Handlers, World } from './fake-world.ts';

type RouteCalls = Pick<Handlers, RouteCall>;

export function routeHandlers(world: World): RouteCalls {
  const edit = (
    name: string,
    pointer: string,
    change: (routes: ProfileDetails['routes']) => ProfileDetails['routes'],
  ): RoutesView => {
    world.demandUnlocked(world.find(name), pointer);
    const view = world.routesOf(
      world.changeProfile(name, (profile) => ({
        ...profile,
        routes: change(profile.routes),
        changed: [...new Set([...profile.changed, pointer])],
      })),
    );
    world.publish('routes', view);
    return view;
  };
  const replaced = (name: string, kind: RouteKind, from: string | null, to: string | null): RoutesView => {
    if (to !== null && !isPrefix(to)) throw badPrefix();
    return edit(name, `/routes/${kind}`, (routes) => {
      const kept = routes[kind].filter((prefix) => prefix !== from && prefix !== to);
      return { ...routes, [kind]: to === null ? kept : [...kept, to] };
    });
  };

  return {
    routes: ({ profile }) => world.routesOf(world.find(profile)),
    setRouteMode: ({ profile, mode }) =>
      edit(profile, '/routes/include', (routes) => {
        const others = routes.include.filter((prefix) => !prefix.endsWith('/0'));
        return { ...routes, mode, include: mode === 'full' ? ['0.0.0.0/0', '::/0', ...others] : others };
      }),
    setRouteOptions: ({ profile, allowLan, fromGateway }) =>
      edit(profile, allowLan === undefined ? '/routes/fromGateway' : '/routes/allowLan', (routes) => ({
        ...routes,
        allowLan: allowLan ?? routes.allowLan,
        fromGateway: fromGateway ?? routes.fromGateway,
      })),
    checkRoute: ({ profile, prefix, kind }) => {
      const refused = (code: ErrorCode, data?: NonNullable<FieldProblem['data']>) => ({
        prefix: null,
        problems: [knownProblem('prefix', 'error', code, data)],
      });
      if (!isPrefix(prefix)) return refused('routes/syntax');
      const meant = meantBy(prefix);
      if (meant !== prefix) return refused('routes/not-a-network', { meant, alone: prefix.split('/')[0] ?? prefix });
      if (prefix.endsWith('/0')) return refused('routes/everything');
      const { include, [kind]: list } = world.find(profile).routes;
      if (list.includes(prefix)) return refused('routes/duplicate');
      const covers = include.find((wider) => wider === '10.0.0.0/8' && prefix.startsWith('10.'));
      const covered = kind === 'include' && covers !== undefined;
      return { prefix, problems: covered ? [knownProblem('prefix', 'warning', 'routes/covered', { covers })] : [] };
    },
    addRoute: ({ profile, prefix, kind }) => replaced(profile, kind, null, prefix),
    editRoute: ({ profile, from, to }) => {
      if (from.kind !== to.kind) replaced(profile, from.kind, from.prefix, null);
      return replaced(profile, to.kind, from.prefix, to.prefix);
    },
    removeRoute: ({ profile, prefix, kind }) => replaced(profile, kind, prefix, null),
    resetRoutes: ({ profile }) => {
      const original = FAKE_PROFILES.find(({ name }) => name === profile) ?? world.find(profile);
      const view = edit(profile, '/routes/include', () => original.routes);
      world.changeProfile(profile, (old) => ({ ...old, changed: old.changed.filter((p) => !p.startsWith('/routes')) }));
      return { ...view, changed: false };
    },
    routeLookup: ({ target, profile: name }) => {
      const { state, profiles } = world;
      const profile = world.find(name ?? ('profile' in state ? state.profile : (profiles[0]?.name ?? '')));
      const prefix = profile.routes.include.find((one) => one.endsWith('/0') || sameStart(one, target));
      return {
        target,
        profile: profile.name,
        live: world.routesOf(profile).live,
        answers: [
          {
            address: /^[\d.]+$/.test(target) ? target : '192.0.2.80',
            way: prefix ? 'tunnel' : 'direct',
            rule: prefix ? { prefix, kind: 'include', origin: 'profile' } : null,
            because: prefix ? tell('route.included', { prefix }) : tell('route.uncovered'),
          },
        ],
      };
    },
  };
}
