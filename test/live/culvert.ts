// Culvert itself in a namespace of the lab: the compiled daemon and command line, as a person runs them.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Status } from '../../main/ipc/contract.ts';
import type { Finished, Lab, Running } from './lab.ts';

const built = (path: string): string => fileURLToPath(new URL(`../../build/out/main/${path}`, import.meta.url));
const CLI = built('cli/culvert.js');

export function culvertMissing(part = 'cli/culvert.js'): string | undefined {
  return existsSync(built(part)) ? undefined : 'Culvert is not built (npm run build)';
}

export class Culvert {
  readonly lab: Lab;
  readonly namespace: string;
  daemon: Running;
  /** Where the engine listens. */
  readonly socket: string;
  private readonly profiles: string;

  private readonly wrapper: readonly string[];

  private constructor(lab: Lab, namespace: string, wrapper: readonly string[]) {
    this.wrapper = wrapper;
    this.lab = lab;
    this.namespace = namespace;
    this.socket = join(lab.directory, `${namespace}.sock`);
    this.profiles = join(lab.directory, `${namespace}-profiles`);
    this.daemon = this.launch();
  }

  /** `wrapper`: a command that runs the daemon's, e.g. with fewer privileges. */
  static async start(lab: Lab, namespace: string, wrapper: readonly string[] = []): Promise<Culvert> {
    const culvert = new Culvert(lab, namespace, wrapper);
    await culvert.ready();
    return culvert;
  }

  private launch(): Running {
    return this.lab.start(this.namespace, [
      ...this.wrapper,
      ...[process.execPath, CLI, 'daemon', '--foreground', '--log-level', 'debug'],
      ...['--socket', this.socket, '--profiles', this.profiles],
    ]);
  }

  /** Starts the daemon again after it was stopped or killed. */
  async restart(): Promise<void> {
    this.daemon = this.launch();
    await this.ready();
  }

  private async ready(): Promise<void> {
    await this.daemon.saw(/ready/);
  }

  async cli(command: readonly string[], milliseconds = 60_000): Promise<Finished> {
    const [name, ...rest] = command;
    return this.lab.finish(
      this.namespace,
      [process.execPath, CLI, name as string, '--socket', this.socket, ...rest],
      milliseconds,
    );
  }

  /** Writes the profile and brings it up; the outcome is the command line's. */
  async up(profile: Record<string, unknown>): Promise<Finished> {
    const file = join(this.lab.directory, `${String(profile.name)}.json`);
    writeFileSync(file, JSON.stringify(profile, null, 2), { mode: 0o600 });
    return this.cli(['up', file]);
  }

  /** Like `up`, but a failure to connect throws with everything there is to know. */
  async connect(profile: Record<string, unknown>): Promise<void> {
    const up = await this.up(profile);
    if (up.code !== 0)
      throw new Error(`culvert up: ${up.code}\n${up.stdout}${up.stderr}\ndaemon:\n${this.daemon.output}`);
  }

  async down(): Promise<Finished> {
    return this.cli(['down']);
  }

  async status(): Promise<Status> {
    const { stdout, stderr, code } = await this.cli(['status', '--json']);
    if (code !== 0) throw new Error(`culvert status: ${code}\n${stdout}${stderr}`);
    return JSON.parse(stdout) as Status;
  }

  /** Follows `status --json --watch` until `wanted` holds. */
  async until(wanted: (status: Status) => boolean, milliseconds = 30_000): Promise<Status> {
    const deadline = Date.now() + milliseconds;
    for (;;) {
      const status = await this.status();
      if (wanted(status)) return status;
      if (Date.now() > deadline) {
        throw new Error(`the state did not come: ${JSON.stringify(status, null, 2)}\ndaemon:\n${this.daemon.output}`);
      }
    }
  }
}
