// Programs that the demo starts: short ones to their end, long ones until stopped. Their output is kept, to be shown when
// something goes wrong.
import { type ChildProcess, execFile, spawn } from 'node:child_process';

/** More of a program's output than this is not kept. */
const KEEP = 64 * 1024;
const PATIENCE = 5000;

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects with the command and what it said where it fails or takes longer than `timeout` milliseconds. */
export function command(program: string, args: readonly string[], timeout = 30_000): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { encoding: 'utf8', timeout, maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      if (!error) resolve({ stdout, stderr });
      else {
        const said = (stderr || stdout).trim();
        const { code } = error as { readonly code?: unknown };
        const why =
          code === 'ENOENT'
            ? 'could not be started (ENOENT)'
            : error.killed
              ? `did not end within ${timeout / 1000} s`
              : `failed${said ? `: ${said}` : ''}`;
        reject(new Error(`"${[program, ...args].join(' ')}" ${why}`));
      }
    });
  });
}

/** A program that goes on until `stop`. */
export class Running {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<void>;
  readonly #watchers = new Set<() => void>();
  #over = false;
  #output = '';

  constructor(name: string, program: string, args: readonly string[]) {
    this.#name = name;
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-KEEP);
      for (const watcher of this.#watchers) watcher();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#over = true;
        for (const watcher of this.#watchers) watcher();
        resolve();
      };
      this.#child.once('close', end);
      this.#child.once('error', (error) => {
        this.#output += error.message;
        end();
      });
    });
  }

  /** Standard output and standard error so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves with the match once the output has it; rejects with the output where the program ends or time is up. */
  saw(pattern: RegExp, timeout = 20_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = (): void => {
        const match = pattern.exec(this.#output);
        if (match) {
          finish();
          resolve(match);
        } else if (this.#over) {
          finish();
          reject(new Error(`${this.#name} ended by itself:\n${this.#output.trim()}`));
        }
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`${this.#name} was not ready after ${timeout / 1000} s:\n${this.#output.trim()}`));
      }, timeout);
      this.#watchers.add(look);
      look();
    });
  }

  /** SIGTERM, and SIGKILL where that does not help. Resolves when the program is gone. */
  async stop(): Promise<void> {
    if (this.#over) return;
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
    await this.#ended;
    clearTimeout(hard);
  }
}
