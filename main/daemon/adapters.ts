// The operating system as sessions see it, for the platform that this process runs on.
import { lookup } from 'node:dns/promises';
import { EngineError } from '../ipc/error.ts';
import { linuxDnsSettings } from '../net/dns/linux.ts';
import { linuxMonitor } from '../net/monitor/linux.ts';
import { linuxRouteTable } from '../net/route/linux.ts';
import { linuxSocketFactory } from '../net/socket/linux.ts';
import { linuxTunAdapter } from '../net/tun/linux.ts';
import { startDataPlane } from '../path/start.ts';
import type { SessionDeps } from '../session/deps.ts';
import { parseAddress } from '../wire/address.ts';

export type Adapters = Pick<
  SessionDeps,
  'tun' | 'routes' | 'dns' | 'sockets' | 'monitor' | 'startDataPlane' | 'resolveHost'
>;

/** Throws EngineError where this platform has no adapters. */
export function systemAdapters(): Adapters {
  if (process.platform !== 'linux')
    throw new EngineError({
      code: 'daemon/unsupported-platform',
      message: `The engine does not run on ${process.platform} yet.`,
      remedy: 'Run it on Linux.',
    });
  return {
    tun: linuxTunAdapter({ offloads: true }),
    routes: linuxRouteTable(),
    dns: linuxDnsSettings(),
    sockets: linuxSocketFactory({ gro: true }),
    monitor: linuxMonitor,
    startDataPlane,
    resolveHost,
  };
}

/** In the order of the system's resolver (RFC 6724). */
async function resolveHost(name: string) {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.flatMap(({ address }) => parseAddress(address) ?? []);
}
