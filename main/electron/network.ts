// Tells that the computer is on another network: its addresses changed. Electron has no event for it, so they are looked at
// every few seconds; the tunnel's own interface does not count. The network's name is not known here.
import type { NetworkInterfaceInfo } from 'node:os';

/** Milliseconds between two looks. */
const INTERVAL = 5_000;

export interface NetworkDeps {
  /** node:os's networkInterfaces. */
  readonly interfaces: () => Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  readonly after: (milliseconds: number, then: () => void) => () => void;
  /** The tunnel's interface. */
  own(name: string): boolean;
  changed(): void;
}

/** Returns how to stop. */
export function watchNetwork(deps: NetworkDeps): () => void {
  let seen = addresses(deps);
  let cancel = (): void => {};
  const look = (): void => {
    const now = addresses(deps);
    if (now !== seen) deps.changed();
    seen = now;
    cancel = deps.after(INTERVAL, look);
  };
  cancel = deps.after(INTERVAL, look);
  return () => cancel();
}

const addresses = ({ interfaces, own }: NetworkDeps): string =>
  Object.entries(interfaces())
    .filter(([name]) => !own(name))
    .flatMap(([name, list]) =>
      (list ?? [])
        .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
        .map(({ cidr }) => `${name} ${cidr}`),
    )
    .sort()
    .join();
