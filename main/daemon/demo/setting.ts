// The demo's two ends: what the gateway is configured with, and the profile that fits it.
import { randomBytes } from 'node:crypto';
import type { GatewayConfigInput } from '../../gateway/config.ts';
import type { DemoOptions } from './options.ts';

/** Where GRE ends at the gateway: an address of its own, which no interface carries. */
const GRE_ENDPOINT = '10.77.0.1';
const GRE_GATEWAY = '10.88.0.1';
const GRE_CLIENT = '10.88.0.2';
const GRE_NETWORK = '10.88.0.0/24';
const POOL = '10.99.0.0/24';
/** The pool's first address is the gateway's own (main/gateway/pool.ts). */
const POOL_GATEWAY = '10.99.0.1';
const GATEWAY_IDENTITY = 'gateway.culvert.example';
const CLIENT_IDENTITY = 'alice@culvert.example';
export const PROFILE_NAME = 'demo';

export interface Setting {
  readonly gateway: GatewayConfigInput;
  /** The gateway's address inside the tunnel: it answers pings and serves the page. */
  readonly inside: string;
  /** A profile file's content, for the gateway at these ports. */
  profile(ports: { readonly ike: number; readonly natt: number }): string;
}

export interface SettingOptions extends DemoOptions {
  readonly address: string;
  readonly ports: { readonly ike: number; readonly natt: number };
  /** Real adapters and the kernel's stack; else everything in memory. */
  readonly real: boolean;
}

export function demoSetting(options: SettingOptions): Setting {
  const { shape, address } = options;
  const secret = randomBytes(32).toString('hex');
  const gre = shape !== 'esp-tunnel';
  // Real adapters: raw ESP in transport mode, as gateways of that kind do it; UDP where remote workers are.
  const encapsulation = options.real && shape === 'gre-transport' ? 'auto' : 'udp';
  return {
    inside: gre ? GRE_GATEWAY : POOL_GATEWAY,
    gateway: {
      identity: GATEWAY_IDENTITY,
      users: [{ identity: CLIENT_IDENTITY, secret: `0x${secret}` }],
      listen: { address, port: options.ports.ike, nattPort: options.ports.natt },
      encapsulation,
      shapes: [shape],
      pool: { ipv4: POOL },
      subnets: gre ? [] : [POOL],
      gre: gre ? { endpoint: GRE_ENDPOINT, address: [`${GRE_GATEWAY}/24`] } : {},
      threads: options.real ? 'workers' : 'single',
      pagePort: options.real ? 80 : null,
    },
    profile: (ports) =>
      JSON.stringify(
        {
          culvert: 1,
          name: PROFILE_NAME,
          gateway: { host: address, port: ports.ike, nattPort: ports.natt, identity: GATEWAY_IDENTITY },
          authentication: { method: 'psk', identity: CLIENT_IDENTITY, secret: { hex: secret } },
          tunnel: { shape, encapsulation },
          ...(gre
            ? {
                gre: {
                  address: [`${GRE_CLIENT}/24`],
                  ...(shape === 'gre-tunnel' ? { remote: GRE_ENDPOINT } : {}),
                },
              }
            : {}),
          routes: { include: [gre ? GRE_NETWORK : POOL] },
          proposals: { esp: [`${options.cipher}-esn`] },
        },
        null,
        2,
      ),
  };
}
