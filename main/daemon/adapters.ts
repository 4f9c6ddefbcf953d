// The operating system as sessions see it, for the platform that this process runs on.
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { EngineError } from '../ipc/error.ts';
import type { AttachmentReader } from '../net/attachment/api.ts';
import { linuxAttachment } from '../net/attachment/linux.ts';
import type { DnsSettings } from '../net/dns/api.ts';
import { askAddresses } from '../net/dns/ask.ts';
import { linuxDnsSettings } from '../net/dns/linux.ts';
import { guardedRoutes } from '../net/firewall/guarded-routes.ts';
import { linuxFirewall } from '../net/firewall/linux.ts';
import { linuxMonitor } from '../net/monitor/linux.ts';
import { linuxRouteTable } from '../net/route/linux.ts';
import { systemRunner } from '../net/runner.ts';
import { linuxSocketFactory } from '../net/socket/linux.ts';
import { connectMarked } from '../net/socket/linux-marked.ts';
import { linuxTunAdapter } from '../net/tun/linux.ts';
import { startDataPlane } from '../path/start.ts';
import type { SessionDeps } from '../session/deps.ts';
import { type Address, parseAddress } from '../wire/address.ts';

export type Adapters = Pick<
  SessionDeps,
  'tun' | 'routes' | 'dns' | 'sockets' | 'monitor' | 'startDataPlane' | 'resolveHost'
> & {
  /** Says which network this computer is attached to; without it every network is unknown. */
  readonly attachment?: AttachmentReader;
};

/** Throws EngineError where this platform has no adapters. `note` tells of a part that works less well here. */
export function systemAdapters(note: (text: string) => void): Adapters {
  if (process.platform !== 'linux')
    throw new EngineError({
      code: 'daemon/unsupported-platform',
      message: `The engine does not run on ${process.platform} yet.`,
      remedy: 'Run it on Linux.',
    });
  const routes = guardedRoutes(linuxRouteTable(), linuxFirewall(), ({ message }) =>
    note(
      `Only routes keep traffic in the tunnel: a program that binds itself to an interface can send around it, because there is no firewall (${message}). It needs nftables.`,
    ),
  );
  const dns = linuxDnsSettings();
  return {
    tun: linuxTunAdapter({ offloads: true }),
    routes,
    dns,
    sockets: linuxSocketFactory({ gro: true }),
    monitor: linuxMonitor,
    attachment: linuxAttachment(systemRunner),
    startDataPlane,
    resolveHost: (name) => resolveHost(name, dns, routes.mark),
  };
}

/**
 * In the order of the system's resolver (RFC 6724). While that asks inside a tunnel, which may be down, the servers of before are asked
 * past it: a gateway that has moved could not be found otherwise.
 */
async function resolveHost(name: string, dns: DnsSettings, mark: number): Promise<readonly Address[]> {
  const outside = await dns.outside();
  if (outside) {
    const connect = (address: Address, signal: AbortSignal) => connectMarked({ address, port: 53 }, mark, signal);
    return askAddresses(name, outside, connect, (length) => randomBytes(length));
  }
  const found = await lookup(name, { all: true, verbatim: true });
  return found.flatMap(({ address }) => parseAddress(address) ?? []);
}
