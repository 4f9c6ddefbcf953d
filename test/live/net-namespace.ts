// Network namespaces for one test file: made by it, named with the process id, removed with everything in them.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./net-child.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../build/out/main/path/worker.js', import.meta.url));

/** Why these tests cannot run here; undefined: they can. */
export const skipped: string | undefined =
  process.platform !== 'linux'
    ? 'network namespaces are Linux’s'
    : process.getuid?.() !== 0
      ? 'making network namespaces needs root'
      : !existsSync('/dev/net/tun')
        ? 'there is no /dev/net/tun'
        : !existsSync(BUILT)
          ? 'nothing is built yet: npm run build'
          : undefined;

export interface Child {
  readonly process: ChildProcess;
  /** The next line it prints, parsed. Rejects with what it wrote to stderr when it ends first. */
  next<Value>(): Promise<Value>;
  write(value: unknown): void;
  /** Closes its input and waits for its end. */
  end(): Promise<void>;
  kill(): Promise<void>;
}

export class Namespace {
  readonly name: string;
  readonly #children = new Set<Child>();

  constructor(label: string) {
    this.name = `culvert-${label}-${process.pid}`;
    execFileSync('ip', ['netns', 'add', this.name]);
    this.run('ip link set lo up');
  }

  /** Runs one command line (words separated by blanks) inside. */
  run(line: string, prefix: readonly string[] = []): string {
    return execFileSync('ip', ['netns', 'exec', this.name, ...prefix, ...line.split(' ')], {
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Everything that the engine might have changed, as text. */
  snapshot(): string {
    return [
      'ip rule show',
      'ip -6 rule show',
      'ip route show table all',
      'ip -6 route show table all',
      'ip -o link show',
      'sysctl -a -r rp_filter',
    ]
      .map((line) => `$ ${line}\n${this.run(line)}`)
      .join('');
  }

  /** Starts a task of net-child.mjs inside. */
  start(options: Record<string, unknown>, prefix: readonly string[] = []): Child {
    return this.#spawn([...prefix, process.execPath, CHILD, JSON.stringify(options)]);
  }

  /** Starts a CommonJS script inside. */
  startScript(text: string): Child {
    return this.#spawn([process.execPath, '-e', text]);
  }

  #spawn(words: readonly string[]): Child {
    const child = spawn('ip', ['netns', 'exec', this.name, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const lines: string[] = [];
    const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      const first = waiting.shift();
      if (first) first.resolve(line);
      else lines.push(line);
    });
    const ended = new Promise<void>((resolve) => {
      child.on('close', (code, signal) => {
        for (const { reject } of waiting) reject(new Error(`child ended (${code ?? signal}): ${said}`));
        this.#children.delete(made);
        resolve();
      });
    });
    const made: Child = {
      process: child,
      next: async <Value>() => {
        const line =
          lines.shift() ?? (await new Promise<string>((resolve, reject) => waiting.push({ resolve, reject })));
        return JSON.parse(line) as Value;
      },
      write: (value) => child.stdin.write(`${JSON.stringify(value)}\n`),
      end: () => {
        child.stdin.end();
        return ended;
      },
      kill: () => {
        child.kill('SIGKILL');
        return ended;
      },
    };
    this.#children.add(made);
    return made;
  }

  async remove(): Promise<void> {
    for (const child of [...this.#children]) await child.kill();
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

/** A veth pair between two namespaces, with addresses on each end. */
export function link(
  left: Namespace,
  right: Namespace,
  addresses: { left: readonly string[]; right: readonly string[] },
  devices: readonly [string, string] = ['eth0', 'eth0'],
): void {
  const ends = [
    [left, addresses.left, devices[0]],
    [right, addresses.right, devices[1]],
  ] as const;
  execFileSync('ip', [
    ...['link', 'add', devices[0], 'netns', left.name, 'type', 'veth'],
    ...['peer', 'name', devices[1], 'netns', right.name],
  ]);
  for (const [side, texts, device] of ends) {
    for (const text of texts) side.run(`ip address add ${text} dev ${device}${text.includes(':') ? ' nodad' : ''}`);
    // The kernel would make a link-local address, test it for duplicates and announce it in its own time.
    side.run(`ip link set ${device} addrgenmode none up`);
    side.run(`ip address add fe80::${side === left ? 1 : 2}/64 dev ${device} nodad`);
  }
  // The carrier comes a moment after both ends are up, and changes flags of link and routes.
  for (const [side, , device] of ends)
    for (let look = 0; look < 500 && !side.run(`ip -o link show ${device}`).includes('state UP'); look++);
}
