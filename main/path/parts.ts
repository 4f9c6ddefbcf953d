// What sender and receiver of one thread share.
import type { Core } from '../core/api.ts';
import type { Libc } from '../native/libc.ts';
import type { PathEvent } from './command.ts';
import type { NativeMemory } from './memory.ts';
import type { PathErrors } from './path-errors.ts';
import type { Shared } from './shared.ts';
import type { TunPort } from './tun-port.ts';

export interface PathParts {
  readonly core: Core;
  readonly calls: Libc;
  readonly memory: NativeMemory;
  readonly tun: TunPort;
  readonly errors: PathErrors;
  readonly shared: Shared;
  readonly emit: (event: PathEvent) => void;
  /** Milliseconds of the clock that the kernel stamps datagrams with; Date.now where left out. */
  readonly wall?: (() => number) | undefined;
}
