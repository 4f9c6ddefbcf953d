// Who decides what in a profile: the administrator who wrote it may lock parts of it, and the person who uses it may lay
// own choices of routes and MTU over the rest. Both stand in the stored file beside the profile's own words, which stay as
// they were: taking the choices back is leaving "overrides" out.
//
//   what counts = locked ? the profile's own : the person's choice ?? the profile's own
import type { Profile } from './profile.ts';
import type { ProfileFile } from './schema.ts';

export type RouteMode = 'full' | 'split';

export interface ProfilePolicy {
  /** JSON pointers of what only an administrator may change; "" is all of it. */
  readonly locked: readonly string[];
  readonly lockedBy: string | null;
  /** Before the person's choices. */
  readonly own: Pick<Profile, 'routes' | 'mtu'>;
  /** `full`: everything goes through the tunnel, but what is excluded. */
  readonly mode: RouteMode;
  /** The networks of `split`, remembered while `full`. */
  readonly split: readonly string[];
  /** JSON pointers of what the person changed, as far as it counts. */
  readonly changed: readonly string[];
}

/** The person's choices, as they stand in the file. */
export type Overrides = NonNullable<ProfileFile['overrides']>;

/** Parts that a person may choose, with the pointer whose lock forbids it. Mode and networks are one decision. */
export const POINTERS = {
  mode: '/routes/include',
  include: '/routes/include',
  exclude: '/routes/exclude',
  allowLan: '/routes/allowLan',
  fromGateway: '/routes/fromGateway',
  value: '/mtu/value',
  path: '/mtu/path',
} as const;

const EVERYTHING = ['0.0.0.0/0', '::/0'] as const;
export const isEverything = (text: string): boolean => /^[0.:]+\/0$/.test(text);

/** The lock that covers `pointer` from above, on it, or below it; undefined: it is free. */
export function lockOn(locked: readonly string[], pointer: string): string | undefined {
  const covers = (a: string, b: string): boolean => a === b || b.startsWith(`${a}/`);
  return locked.find((lock) => covers(lock, pointer) || covers(pointer, lock));
}

/** The file as it counts, and what about it is whose. */
export function effectiveFile(file: ProfileFile): {
  readonly file: ProfileFile;
  readonly policy: Omit<ProfilePolicy, 'own'>;
} {
  const locked = file.locked ?? [];
  const free = (pointer: string): boolean => lockOn(locked, pointer) === undefined;
  const routes = file.overrides?.routes ?? {};
  const mtu = file.overrides?.mtu ?? {};
  const own = file.routes?.include ?? [];
  const networks = free(POINTERS.include) ? (routes.include ?? own) : own;
  const chosen = free(POINTERS.mode) ? routes.mode : undefined;
  const mode: RouteMode = chosen ?? (networks.some(isEverything) ? 'full' : 'split');
  const split = networks.filter((text) => !isEverything(text));
  const all = networks.filter(isEverything);
  const include = mode === 'split' ? split : [...split, ...(all.length > 0 ? all : EVERYTHING)];

  const changed = new Set<string>();
  const choose = <T>(pointer: string, choice: T | undefined, otherwise: T): T => {
    if (choice === undefined || !free(pointer)) return otherwise;
    changed.add(pointer);
    return choice;
  };
  if ((routes.include !== undefined || chosen !== undefined) && free(POINTERS.include)) changed.add(POINTERS.include);
  const effective: ProfileFile = {
    ...file,
    routes: {
      ...file.routes,
      include,
      exclude: choose(POINTERS.exclude, routes.exclude, file.routes?.exclude),
      allowLan: choose(POINTERS.allowLan, routes.allowLan, file.routes?.allowLan),
      fromGateway: choose(POINTERS.fromGateway, routes.fromGateway, file.routes?.fromGateway),
    },
    mtu: {
      ...file.mtu,
      value: choose(POINTERS.value, mtu.value, file.mtu?.value),
      path: choose(POINTERS.path, mtu.path, file.mtu?.path),
    },
  };
  return { file: effective, policy: { locked, lockedBy: file.lockedBy ?? null, mode, split, changed: [...changed] } };
}
