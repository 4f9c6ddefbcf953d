// What the benchmarks compare: a tunnel with both ends in namespaces of a lab of its own. Contenders stay up side by side while
// each is measured in turn, so that a machine that slows down slows all of them.
import { Lab } from '../../live/lab.ts';

export interface Contender {
  readonly product: Product;
  readonly name: string;
  readonly lab: Lab;
  /** Address of the far end (namespace "gw") through the tunnel. */
  readonly address: string;
  /** Process ids of the engine at the near end (namespace "cl"): whose memory counts. Empty: the kernel alone. */
  readonly engine: readonly number[];
  /** Milliseconds from starting the near end's engine until it was ready to be told to connect, and from there to connected. */
  readonly started: { readonly ready: number; readonly connected: number } | undefined;
  close(): Promise<void>;
}

export type Product = 'bare' | 'culvert' | 'openvpn' | 'wireguard-go' | 'strongswan';

/** How to bring one up, or why it cannot be. */
export interface Recipe {
  readonly product: Product;
  readonly name: string;
  readonly missing: string | undefined;
  open(link: Link): Promise<Contender>;
}

export interface Link {
  /** false: the veth pair's segmentation offloads are off, as on a link without them. */
  readonly offloads: boolean;
}

/** Addresses of the two ends outside the tunnel. */
export const OUTER = { cl: '192.0.2.2', gw: '192.0.2.1' } as const;

/** Two namespaces and a veth pair; `body` puts a tunnel between them. The lab is gone where that fails. */
export async function between(
  { product, name }: Pick<Recipe, 'product' | 'name'>,
  { offloads }: Link,
  body: (lab: Lab) => Promise<Omit<Contender, 'product' | 'name' | 'lab' | 'close'>>,
): Promise<Contender> {
  const lab = new Lab();
  try {
    lab.namespace('cl');
    lab.namespace('gw');
    lab.link('cl', `${OUTER.cl}/24`, 'gw', `${OUTER.gw}/24`);
    if (!offloads) {
      lab.cutBursts('cl', 'v0a');
      lab.cutBursts('gw', 'v0b');
    }
    return { product, name, ...(await body(lab)), lab, close: () => lab.close() };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** Milliseconds that `what` took. */
export async function timed(what: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await what();
  return performance.now() - start;
}

/** The process behind a lab's command: `ip netns exec` becomes what it runs. */
export function pidOf(running: { readonly child: { readonly pid?: number | undefined } }): number {
  const { pid } = running.child;
  if (pid === undefined) throw new Error('the process was not started');
  return pid;
}
