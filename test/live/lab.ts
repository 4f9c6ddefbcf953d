// A laboratory of network namespaces, joined by veth pairs, for tests against real peers. Everything a test makes here is
// named after this process, lives in the lab only, and is gone after close(), also when the test failed.
//
//   const lab = await Lab.open();
//   await lab.namespace('cl'); await lab.namespace('gw');
//   await lab.link('cl', '192.0.2.2/24', 'gw', '192.0.2.1/24');
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let labs = 0;

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process in a namespace, its output kept. */
export class Running {
  readonly child: ChildProcess;
  output = '';
  private readonly listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
      for (const listener of this.listeners) listener();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('exit', () => {
      for (const listener of this.listeners) listener();
    });
  }

  get exited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves with the match once the output has it; rejects with the whole output when it ends or time is up first. */
  async saw(pattern: RegExp, milliseconds = 20_000): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.listeners.delete(look);
      };
      const look = (): void => {
        const match = this.output.match(pattern);
        if (match) {
          done();
          resolve(match);
        } else if (this.exited) {
          done();
          reject(new Error(`the process ended without printing ${pattern}:\n${this.output}`));
        }
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`${pattern} did not appear in ${milliseconds} ms:\n${this.output}`));
      }, milliseconds);
      this.listeners.add(look);
      look();
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.exited) return;
    await new Promise<void>((resolve) => {
      const hard = setTimeout(() => this.child.kill('SIGKILL'), 5000);
      this.child.once('exit', () => {
        clearTimeout(hard);
        resolve();
      });
      this.child.kill(signal);
    });
  }
}

/** Why live tests cannot run on this machine, or undefined where they can. */
export function cannotRunLive(): string | undefined {
  if (process.platform !== 'linux') return 'live tests need Linux';
  if (process.getuid?.() !== 0) return 'live tests need root';
  if (!existsSync('/dev/net/tun')) return 'live tests need /dev/net/tun';
  try {
    const probe = `culvert-probe-${process.pid}`;
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', probe], { stdio: 'pipe' });
  } catch {
    return 'live tests need iproute2 and the right to make network namespaces';
  }
  return undefined;
}

export class Lab {
  readonly directory = mkdtempSync(join(tmpdir(), 'culvert-lab-'));
  private readonly id = `cv${process.pid}x${labs++}`;
  private readonly namespaces: string[] = [];
  private readonly running: Running[] = [];
  private links = 0;

  /** The namespace's full name. */
  name(namespace: string): string {
    return `${this.id}-${namespace}`;
  }

  /** What /etc/resolv.conf is in the namespace. */
  resolverFile(namespace: string): string {
    return `/etc/netns/${this.name(namespace)}/resolv.conf`;
  }

  namespace(namespace: string): void {
    execFileSync('ip', ['netns', 'add', this.name(namespace)]);
    this.namespaces.push(namespace);
    // `ip netns exec` lays these over /etc: what a tunnel does to the name servers stays in the lab.
    mkdirSync(`/etc/netns/${this.name(namespace)}`, { recursive: true });
    writeFileSync(this.resolverFile(namespace), 'nameserver 192.0.2.53\n');
    this.run(namespace, 'ip', 'link', 'set', 'lo', 'up');
  }

  /** A veth pair between two namespaces. Returns the interfaces' names. */
  link(a: string, addressA: string, b: string, addressB: string, mtu = 1500): { a: string; b: string } {
    const number = this.links++;
    const [nameA, nameB] = [`v${number}a`, `v${number}b`];
    execFileSync('ip', [
      ...['link', 'add', nameA, 'mtu', String(mtu), 'netns', this.name(a), 'type', 'veth'],
      ...['peer', 'name', nameB, 'mtu', String(mtu), 'netns', this.name(b)],
    ]);
    for (const [namespace, name, address] of [
      [a, nameA, addressA],
      [b, nameB, addressB],
    ] as const) {
      this.run(namespace, 'ip', 'address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []));
      this.run(namespace, 'ip', 'link', 'set', name, 'up');
    }
    return { a: nameA, b: nameB };
  }

  /** Makes the sender's kernel cut bursts as a real link would: a veth hands them over whole, also to captures. */
  cutBursts(namespace: string, device: string): void {
    this.run(namespace, 'ethtool', '-K', device, 'tso', 'off', 'gso', 'off', 'tx-udp-segmentation', 'off');
  }

  /** Runs a command to its end; throws with its output where it fails. */
  run(namespace: string, ...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.name(namespace), ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      maxBuffer: 64 << 20,
    });
  }

  /** Runs a command to its end without judging its exit code. */
  async finish(namespace: string, command: string[], milliseconds = 60_000): Promise<Finished> {
    return new Promise((resolve, reject) => {
      const child = spawn('ip', ['netns', 'exec', this.name(namespace), ...command], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}\nkilled by ${signal}` : stderr });
      });
    });
  }

  /** Starts a process that close() will stop. */
  start(namespace: string, command: string[], environment: Record<string, string> = {}): Running {
    const child = spawn('ip', ['netns', 'exec', this.name(namespace), ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const running = new Running(child);
    this.running.push(running);
    return running;
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map((running) => running.stop()));
    for (const namespace of this.namespaces) {
      try {
        // Nothing may outlive its namespace: `ip netns del` alone leaves the processes in it running.
        const pids = execFileSync('ip', ['netns', 'pids', this.name(namespace)], { encoding: 'utf8' });
        for (const pid of pids.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
        execFileSync('ip', ['netns', 'del', this.name(namespace)]);
        rmSync(`/etc/netns/${this.name(namespace)}`, { recursive: true, force: true });
      } catch (error) {
        console.error(`lab: ${this.name(namespace)} could not be removed: ${String(error)}`);
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
