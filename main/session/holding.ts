// What outlives a link: the TUN and the routes into it. While a lost connection is made anew they stay as they are, so
// that traffic meant for the tunnel waits or is dropped there and never takes another way in the clear.
//
// Operations run one after another, in the order of the calls, so that closing finds nothing half-made.
import { NetError } from '../net/error.ts';
import type { DesiredRoutes } from '../net/route/api.ts';
import type { Tun, TunOptions } from '../net/tun/api.ts';
import type { SessionDeps } from './deps.ts';
import { tidy } from './undo.ts';

export interface Holding {
  /** Opens the TUN, or makes the open one as desired. Rejects with a NetError. */
  tun(options: TunOptions): Promise<Tun>;
  /** Rejects with a NetError; what was half applied is undone by closeRoutes. */
  routes(desired: DesiredRoutes): Promise<void>;
  /** Both: whatever is there; never reject; harmless when repeated. */
  closeRoutes(): Promise<void>;
  closeTun(): Promise<void>;
}

export function createHolding(deps: Pick<SessionDeps, 'tun' | 'routes' | 'clock' | 'log'>): Holding {
  let tun: Tun | null = null;
  let routed = false;
  let last: Promise<unknown> = Promise.resolve();

  function inOrder<T>(operation: () => Promise<T>): Promise<T> {
    const result = last.then(operation);
    last = result.catch(() => {});
    return result;
  }

  async function openTun(options: TunOptions): Promise<Tun> {
    const opened = await deps.tun.open(options);
    if (opened instanceof NetError) throw opened;
    tun = opened;
    return opened;
  }

  async function makeTun(options: TunOptions): Promise<Tun> {
    if (!tun) return openTun(options);
    const problem = await tun.apply(options);
    if (!problem) return tun;
    // Somebody may have deleted the interface under us: its routes went with it, so a new one costs nothing.
    deps.log({
      level: 'warn',
      area: 'tun',
      text: `${tun.name} cannot be changed (${problem.message}): making a new one`,
    });
    const broken = tun;
    tun = null;
    await tidy(deps, `closing ${broken.name}`, () => broken.close());
    return openTun(options);
  }

  return {
    tun: (options) => inOrder(() => makeTun(options)),
    routes: (desired) =>
      inOrder(async () => {
        routed = true;
        const problem = await deps.routes.apply(desired);
        if (problem) throw problem;
      }),
    closeRoutes: () =>
      tidy(deps, 'removing the routes', () =>
        inOrder(async () => {
          if (!routed) return;
          routed = false;
          await deps.routes.close();
        }),
      ),
    closeTun: () =>
      tidy(deps, 'closing the TUN', () =>
        inOrder(async () => {
          const open = tun;
          tun = null;
          await open?.close();
        }),
      ),
  };
}
