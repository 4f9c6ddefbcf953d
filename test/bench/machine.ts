// What machine this is and who else uses it. A measurement is only as good as the calm it was taken in: every sample carries
// the share of the processors that went to programs outside its laboratory while it ran, and CPU time is counted without them.
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import type { Lab } from '../live/lab.ts';

/** More of the processors than this for others, and the sample is marked. */
export const CALM = 0.1;
const JIFFIES_PER_SECOND = 100;

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly date: string;
  /** Load averages of one minute when the benchmark began and ended; its own load is in the second. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** Call at the beginning; the returned function at the end. */
export function machine(): () => Machine {
  const loadBefore = loadavg()[0] as number;
  const date = new Date().toISOString();
  return () => ({
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    date,
    loadBefore,
    loadAfter: loadavg()[0] as number,
  });
}

export function describeMachine({ processor, cores, kernel, node, date, loadBefore, loadAfter }: Machine): string {
  return `${date.slice(0, 16)}Z, ${cores} cores of ${processor}, Linux ${kernel}, Node ${node}, load average ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after`;
}

/** Busy CPU seconds of all processors so far, interrupts included. */
function busySeconds(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] as string).split(/\s+/).map(Number);
  // user nice system idle iowait irq softirq steal
  return [0, 1, 2, 5, 6].reduce((sum, index) => sum + (fields[index] ?? 0), 0) / JIFFIES_PER_SECOND;
}

/** How often to look again where programs ended while we looked: their time would be missing, or counted twice. */
const LOOKS = 5;

const pids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/**
 * CPU seconds so far of every program that is neither ours (this process and its reaped children), nor in `labs`, nor a kernel
 * thread. Time of children passes to their parent when they are reaped, so nothing gets lost when programs come and go.
 */
function foreignSeconds(labs: readonly Lab[]): number {
  const ours = new Set(labs.flatMap((lab) => ['cl', 'gw'].map((end) => namespaceInode(lab.name(end)))));
  let jiffies = 0;
  for (let look = 0; look < LOOKS; look++) {
    const before = pids();
    jiffies = before.reduce((sum, pid) => sum + foreignJiffies(pid, ours), 0);
    const after = new Set(pids());
    if (before.every((pid) => after.has(pid))) break;
  }
  return jiffies / JIFFIES_PER_SECOND;
}

/** 0 for what is not foreign, and for what ended while we looked. */
function foreignJiffies(pid: string, ours: ReadonlySet<number>): number {
  if (Number(pid) === process.pid || pid === '2') return 0;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return 0;
  }
  // The name, in parentheses, may hold blanks. Then: state ppid … utime(11) stime cutime cstime.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const parent = fields[1];
  if (parent === 2 || parent === process.pid) return 0;
  try {
    const namespace = /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[1];
    if (namespace !== undefined && ours.has(Number(namespace))) return 0;
  } catch {
    // A zombie has no namespace any more, but its time until its parent reaps it.
  }
  return fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
}

export interface Used {
  /** CPU seconds that the laboratories' programs and the kernel on their behalf used. */
  readonly cpuSeconds: number;
  /** Share (0 to 1) of all processors that others used meanwhile. */
  readonly foreign: number;
  readonly wallSeconds: number;
}

/** Starts counting; the returned function ends it. */
export function countCpu(labs: readonly Lab[]): () => Used {
  const [start, busy, foreign] = [performance.now(), busySeconds(), foreignSeconds(labs)];
  return () => {
    const all = busySeconds() - busy;
    const others = Math.min(all, Math.max(0, foreignSeconds(labs) - foreign));
    const wallSeconds = (performance.now() - start) / 1000;
    return {
      cpuSeconds: Math.max(0, all - others),
      foreign: Math.min(1, others / (wallSeconds * cpus().length)),
      wallSeconds,
    };
  };
}

/** Resident memory of processes, MiB. */
export function residentMebibytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + Number(kilobytes ?? 0) / 1024;
  }, 0);
}

/** The inode that names a network namespace, as `/proc/<pid>/ns/net` shows it. */
function namespaceInode(name: string): number {
  return statSync(`/run/netns/${name}`).ino;
}
