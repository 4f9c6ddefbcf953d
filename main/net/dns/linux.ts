// Name servers on Linux, by whatever answers there:
//
//   systemd-resolved (resolv.conf names 127.0.0.53 or .54)   the link's own servers and domains; they vanish with the link
//   a plain resolv.conf, every name into the tunnel          the file names the tunnel's servers
//   a plain resolv.conf, some names into the tunnel          the file names a forwarder of ours (forwarder.ts)
//
// The file is written in place: it may be a link to somebody's file, or a mount that cannot be renamed over. What it said before
// stands in it as comments (resolv-conf.ts), and is what cleanUp puts back. Whoever writes the file while a tunnel is up
// (DHCP, NetworkManager) would send queries around the tunnel: it is written again, with theirs as what was before.
import { type FSWatcher, realpathSync, unwatchFile, watch, watchFile } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatAddress } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { createTurns } from '../in-turn.ts';
import { type Runner, runOrError, systemRunner } from '../runner.ts';
import type { DesiredDns, DnsSettings } from './api.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';
import { formerOf, hostsOf, isOurs, replaced } from './resolv-conf.ts';

/** The file that the C library reads. */
export interface ResolverFile {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
  /** Calls back when somebody changed it, until the returned function is called. */
  watch(changed: () => void): () => void;
}

const STUBS = ['127.0.0.53', '127.0.0.54'];
const WATCH_INTERVAL = 1_000;
/** Milliseconds until a write that failed is tried again. */
const AGAIN = 2_000;

export function systemResolverFile(path = '/etc/resolv.conf'): ResolverFile {
  return {
    read: () =>
      readFile(path, 'utf8').then(
        (text) => text,
        () => undefined,
      ),
    async write(text) {
      const file = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return open(path, 'w', 0o644);
        throw error;
      });
      try {
        const bytes = Buffer.from(text);
        await file.write(bytes, 0, bytes.length, 0);
        await file.truncate(bytes.length);
      } finally {
        await file.close();
      }
    },
    watch(changed) {
      // Whoever replaces the file, or the one that it is a link to, shows in its folder; whoever writes it in place, at the file
      // itself. Looking now and then finds what both miss (a mount laid over it).
      const watchers: FSWatcher[] = [];
      const look = (): void => changed();
      const add = (what: string): void => {
        try {
          watchers.push(watch(what, { persistent: false }, look).on('error', () => {}));
        } catch {
          // Too many watches on this machine, or nothing there: the poll remains.
        }
      };
      for (const file of new Set([path, realPath(path)])) {
        add(dirname(file));
        add(file);
      }
      watchFile(path, { interval: WATCH_INTERVAL, persistent: false }, look);
      return () => {
        for (const watcher of watchers) watcher.close();
        unwatchFile(path, look);
      };
    },
  };
}

type InForce =
  | { readonly by: 'nothing' }
  | { readonly by: 'resolved'; readonly interfaceName: string }
  | { readonly by: 'file'; readonly desired: DesiredDns; readonly forwarder: Forwarder | null };

export function linuxDnsSettings(
  runner: Runner = systemRunner,
  file: ResolverFile = systemResolverFile(),
  forward: typeof startForwarder = startForwarder,
): DnsSettings {
  let inForce: InForce = { by: 'nothing' };
  let unwatch: (() => void) | undefined;
  let again: NodeJS.Timeout | undefined;
  /** The file is somebody else's, against our will. */
  let lost = false;
  const inTurn = createTurns();

  async function apply(desired: DesiredDns): Promise<{ readonly how: string } | NetError> {
    const text = (await file.read()) ?? '';
    const former = formerOf(text);
    const stub = hostsOf(former).some((host) => STUBS.includes(host));
    return stub ? applyResolved(desired) : applyFile(desired, text, former);
  }

  async function applyResolved(desired: DesiredDns): Promise<{ readonly how: string } | NetError> {
    if (inForce.by === 'file') await leaveFile();
    const { interfaceName, servers, domains } = desired;
    // "~" routes queries without making the domain one to search in (resolvectl(1)); "~." is every name.
    const names = domains === 'all' ? ['~.'] : domains.map((domain) => `~${domain}`);
    for (const args of [
      ['dns', interfaceName, ...servers.map(formatAddress)],
      ['domain', interfaceName, ...names],
      ['default-route', interfaceName, domains === 'all' ? 'yes' : 'no'],
      ['flush-caches'],
    ]) {
      const failed = await runOrError(runner, 'resolvectl', args);
      if (!(failed instanceof NetError)) continue;
      await runner.run('resolvectl', ['revert', interfaceName]);
      inForce = { by: 'nothing' };
      return failed;
    }
    inForce = { by: 'resolved', interfaceName };
    return { how: 'by systemd-resolved' };
  }

  async function applyFile(
    desired: DesiredDns,
    text: string,
    former: string,
  ): Promise<{ readonly how: string } | NetError> {
    const { servers, domains } = desired;
    let forwarder = inForce.by === 'file' ? inForce.forwarder : null;
    if (domains === 'all') {
      await forwarder?.close();
      forwarder = null;
    } else {
      const forwarding = { domains, inside: servers.map(formatAddress), outside: hostsOf(former) };
      if (forwarder) forwarder.update(forwarding);
      else {
        const started = await forward(forwarding);
        if (started instanceof NetError) return started;
        forwarder = started;
      }
    }
    const wanted = replaced(former, forwarder ? [forwarder.address] : servers, domains === 'all' ? [] : domains);
    inForce = { by: 'file', desired, forwarder };
    if (wanted !== text) {
      const failed = await write(wanted);
      if (failed) {
        stopWatching();
        inForce = { by: 'nothing' };
        await forwarder?.close();
        return failed;
      }
    }
    unwatch ??= file.watch(() => void inTurn(reassert));
    return { how: forwarder ? `by a forwarder on ${formatAddress(forwarder.address)}` : 'in /etc/resolv.conf' };
  }

  /** Somebody wrote the file: what they wrote is what was before, and ours holds again. Where it cannot, it is tried again. */
  async function reassert(): Promise<void> {
    if (inForce.by !== 'file') return;
    const text = (await file.read()) ?? '';
    const { desired, forwarder } = inForce;
    const ours = forwarder ? [forwarder.address] : desired.servers.slice(0, 3);
    if (isOurs(text) && sameHosts(hostsOf(text), ours.map(formatAddress))) return;
    const former = formerOf(text);
    if (forwarder && desired.domains !== 'all')
      forwarder.update({
        domains: desired.domains,
        inside: desired.servers.map(formatAddress),
        outside: hostsOf(former),
      });
    const failed = await write(replaced(former, ours, desired.domains === 'all' ? [] : desired.domains));
    if (failed !== undefined || lost) desired.onChange?.(failed ?? null);
    lost = failed !== undefined;
    if (!failed) return;
    clearTimeout(again);
    again = setTimeout(() => void inTurn(reassert), AGAIN);
    again.unref();
  }

  function stopWatching(): void {
    unwatch?.();
    unwatch = undefined;
    clearTimeout(again);
    lost = false;
  }

  async function write(text: string): Promise<NetError | undefined> {
    try {
      await file.write(text);
      return undefined;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return new NetError({
        code: code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'no-permission' : 'system-call',
        message: `/etc/resolv.conf could not be written (${code ?? message}).`,
        operation: 'write /etc/resolv.conf',
        ...(code ? { errno: code } : {}),
        remedy:
          'Run the engine as root on a writable file system, use systemd-resolved, or set dns.use to false in the profile.',
      });
    }
  }

  /** What was there before comes back; a file that is somebody else's by now is left alone. */
  async function restoreFile(): Promise<boolean> {
    const text = await file.read();
    if (text === undefined || !isOurs(text)) return false;
    const failed = await write(formerOf(text));
    if (failed) throw failed;
    return true;
  }

  async function leaveFile(): Promise<void> {
    if (inForce.by !== 'file') return;
    const { forwarder } = inForce;
    inForce = { by: 'nothing' };
    stopWatching();
    try {
      // First the file, then the forwarder that it names: no query meets a closed door.
      await restoreFile();
    } finally {
      await forwarder?.close();
    }
  }

  return {
    apply: (desired) => inTurn(() => apply(desired)),
    async outside() {
      if (inForce.by !== 'file') return null;
      return hostsOf(formerOf((await file.read()) ?? ''));
    },
    close: () =>
      inTurn(async () => {
        if (inForce.by === 'file') return leaveFile();
        if (inForce.by === 'nothing') return;
        const { interfaceName } = inForce;
        inForce = { by: 'nothing' };
        // Where the interface is gone, its settings are gone with it; what was learnt inside must be forgotten (RFC 8598 §5).
        await runner.run('resolvectl', ['revert', interfaceName]);
        await runner.run('resolvectl', ['flush-caches']);
      }),
    cleanUp: () =>
      inTurn(async () => {
        if (inForce.by === 'file') return [];
        return (await restoreFile()) ? ['name servers of a tunnel in /etc/resolv.conf'] : [];
      }),
  };
}

const sameHosts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((host, i) => host === b[i]);

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
