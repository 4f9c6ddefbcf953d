// What outlives a link: the TUN, the routes into it and the name servers behind it. While a lost connection is made anew they stay as they are, so
// that traffic meant for the tunnel waits or is dropped there and never takes another way in the clear.
//
// Operations run one after another, in the order of the calls, so that closing finds nothing half-made. Closing does not
// wait for ever behind one that hangs; what that makes after all is taken back when it comes.

import type { DesiredDns } from '../net/dns/api.ts';
import { NetError } from '../net/error.ts';
import type { DesiredRoutes } from '../net/route/api.ts';
import type { Tun, TunOptions } from '../net/tun/api.ts';
import type { SessionDeps } from './deps.ts';
import { LinkClosed } from './loss.ts';
import { tidy } from './undo.ts';

export interface Holding {
  /** Opens the TUN, or makes the open one as desired, before a data plane reads it. Rejects with a NetError. */
  tun(options: TunOptions): Promise<Tun>;
  /** Changes the TUN under a running data plane. Rejects with a NetError; the TUN stays. */
  change(desired: Pick<TunOptions, 'mtu' | 'addresses'>): Promise<void>;
  /** Rejects with a NetError; what was half applied is undone by closeRoutes. */
  routes(desired: DesiredRoutes): Promise<void>;
  /**
   * Makes TUN and routes once more what they were last to be, where there are any: what they have to leave alone, and which interfaces
   * answers may come in by, depends on the network that this computer is on. Rejects with a NetError.
   */
  refresh(): Promise<void>;
  /** How it is done; null: name servers are as they were. Rejects with a NetError; then they are as they were, too. */
  dns(desired: DesiredDns | null): Promise<string | null>;
  /** Each: whatever is there; never reject; harmless when repeated. Names go with the routes, before them. */
  closeRoutes(): Promise<void>;
  closeTun(): Promise<void>;
}

export function createHolding(deps: Pick<SessionDeps, 'tun' | 'routes' | 'dns' | 'clock' | 'log'>): Holding {
  let tun: Tun | null = null;
  /** As they were made last. */
  let settings: Pick<TunOptions, 'mtu' | 'addresses'> | null = null;
  let applied: DesiredRoutes | null = null;
  /** What is wanted: an operation that comes back after it was given up looks here before it keeps what it made. */
  let wanted = { tun: false, routes: false, dns: false };
  let last: Promise<unknown> = Promise.resolve();

  function inOrder<T>(operation: () => Promise<T>): Promise<T> {
    const result = last.then(operation);
    last = result.catch(() => {});
    return result;
  }

  /** For closing: waits its turn too, but not for ever. */
  async function afterTheLast(what: string, operation: () => Promise<void>): Promise<void> {
    const before = last;
    last = (async () => {
      await tidy(deps, `waiting before ${what}`, async () => void (await before));
      await tidy(deps, what, operation);
    })();
    await last;
  }

  async function openTun(options: TunOptions): Promise<Tun> {
    const opened = await deps.tun.open(options);
    if (opened instanceof NetError) throw opened;
    if (!wanted.tun) {
      await tidy(deps, 'closing a TUN that came too late', () => opened.close());
      throw new LinkClosed();
    }
    tun = opened;
    settings = options;
    return opened;
  }

  async function makeTun(options: TunOptions): Promise<Tun> {
    if (!tun) return openTun(options);
    const problem = await tun.apply(options);
    if (!problem) {
      settings = options;
      return tun;
    }
    // Somebody may have deleted the interface under us: its routes went with it, and the fallbacks under them
    // (net/route/linux.ts) refuse its traffic until the new one has routes again.
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

  async function applyRoutes(desired: DesiredRoutes): Promise<void> {
    const problem = await deps.routes.apply(desired);
    if (!wanted.routes) {
      await tidy(deps, 'removing routes that came too late', () => deps.routes.close());
      throw new LinkClosed();
    }
    if (problem) throw problem;
    applied = desired;
  }

  async function refresh(): Promise<void> {
    // The routes through an interface go when it goes down, so it comes first.
    const broken = tun && settings && (await tun.apply(settings));
    // Whoever reads it has to let go of it before there is another: that is for the link to do.
    if (broken || !wanted.routes || !applied) return;
    await applyRoutes(applied);
  }

  async function applyDns(desired: DesiredDns): Promise<string> {
    const outcome = await deps.dns.apply(desired);
    if (!wanted.dns) {
      await tidy(deps, 'taking back name servers that came too late', () => deps.dns.close());
      throw new LinkClosed();
    }
    if (outcome instanceof NetError) throw outcome;
    return outcome.how;
  }

  async function closeDns(): Promise<void> {
    if (!wanted.dns) return;
    wanted = { ...wanted, dns: false };
    await afterTheLast('taking back the name servers', () => deps.dns.close());
  }

  return {
    tun(options) {
      wanted = { ...wanted, tun: true };
      return inOrder(() => makeTun(options));
    },
    change: (desired) =>
      inOrder(async () => {
        const problem = await tun?.apply(desired);
        if (problem) throw problem;
        settings = desired;
      }),
    refresh: () => inOrder(refresh),
    routes(desired) {
      wanted = { ...wanted, routes: true };
      return inOrder(() => applyRoutes(desired));
    },
    async dns(desired) {
      if (!desired) {
        await closeDns();
        return null;
      }
      wanted = { ...wanted, dns: true };
      return inOrder(() => applyDns(desired));
    },
    async closeRoutes() {
      await closeDns();
      if (!wanted.routes) return;
      wanted = { ...wanted, routes: false };
      applied = null;
      await afterTheLast('removing the routes', () => deps.routes.close());
    },
    async closeTun() {
      if (!wanted.tun) return;
      wanted = { ...wanted, tun: false };
      await afterTheLast('closing the TUN', async () => {
        const open = tun;
        tun = null;
        await open?.close();
      });
    },
  };
}
