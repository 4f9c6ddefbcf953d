// Two network namespaces of the demo's own, joined by a veth pair: everything that it changes on the machine is in there,
// and goes with them. They are named after this process, so that a later demo can clear what a killed one left.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { command, type Finished, Running } from './child.ts';
import { isLeftover, ownName, PREFIX } from './leftovers.ts';

/** Why namespaces with adapters cannot be had here, in a person's words; undefined: they can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'we are not root';
  if (!existsSync('/dev/net/tun'))
    return 'this machine has no TUN device (/dev/net/tun); in a container it has to be passed in';
  const probe = ownName('probe');
  try {
    await command('ip', ['netns', 'add', probe]);
  } catch (error) {
    const text = reasonText(error);
    return /ENOENT/.test(text)
      ? 'the program "ip" (package iproute2) is not installed'
      : `network namespaces cannot be made here, as in a container without CAP_SYS_ADMIN (${text})`;
  }
  try {
    // Gone with the namespace.
    await command('ip', ['netns', 'exec', probe, 'ip', 'tuntap', 'add', 'dev', 'probe0', 'mode', 'tun']);
    return undefined;
  } catch (error) {
    return `adapters cannot be made in a namespace here (${reasonText(error)})`;
  } finally {
    // It is not there where it could not be made.
    await command('ip', ['netns', 'del', probe]).catch(() => {});
  }
}

export interface Namespace {
  readonly name: string;
  run(program: string, args: readonly string[], timeout?: number): Promise<Finished>;
  start(what: string, program: string, args: readonly string[]): Running;
  /** Kills what still runs in it and removes it. Without effect where it is gone. */
  remove(): Promise<void>;
}

export async function makeNamespace(role: string): Promise<Namespace> {
  const name = ownName(role);
  await command('ip', ['netns', 'add', name]);
  // `ip netns exec` lays this over /etc/resolv.conf: name servers of the demo's tunnel stay in the demo.
  await mkdir(resolverDirectory(name), { recursive: true });
  await writeFile(`${resolverDirectory(name)}/resolv.conf`, 'nameserver 192.0.2.53\n');
  const namespace: Namespace = {
    name,
    run: (program, args, timeout) => command('ip', ['netns', 'exec', name, program, ...args], timeout),
    start: (what, program, args) => new Running(what, 'ip', ['netns', 'exec', name, program, ...args]),
    remove: () => removeNamespace(name),
  };
  try {
    await namespace.run('ip', ['link', 'set', 'lo', 'up']);
  } catch (error) {
    await namespace.remove();
    throw error;
  }
  return namespace;
}

/** Made inside the namespaces: no interface appears outside, not even for a moment. */
export async function joinNamespaces(a: Namespace, addressA: string, b: Namespace, addressB: string): Promise<void> {
  await command('ip', [
    ...['link', 'add', 'veth0', 'netns', a.name, 'type', 'veth'],
    ...['peer', 'name', 'veth0', 'netns', b.name],
  ]);
  for (const [namespace, address] of [
    [a, addressA],
    [b, addressB],
  ] as const) {
    await namespace.run('ip', ['address', 'add', address, 'dev', 'veth0']);
    await namespace.run('ip', ['link', 'set', 'veth0', 'up']);
  }
}

/** Names of the namespaces that demos made, of this process or of others. */
export async function demoNamespaces(): Promise<readonly string[]> {
  const { stdout } = await command('ip', ['netns', 'list']);
  return stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(PREFIX));
}

/** Removes the namespaces of demos whose process is gone. Returns their names. */
export async function clearLeftovers(): Promise<readonly string[]> {
  const left = (await demoNamespaces()).filter(isLeftover);
  for (const name of left) await removeNamespace(name);
  return left;
}

async function removeNamespace(name: string): Promise<void> {
  if (!(await demoNamespaces()).includes(name)) return;
  // `ip netns del` alone leaves the processes in it running, and with them the namespace.
  const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean);
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await command('ip', ['netns', 'del', name]);
  await rm(resolverDirectory(name), { recursive: true, force: true });
}

const resolverDirectory = (name: string): string => `/etc/netns/${name}`;

function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
