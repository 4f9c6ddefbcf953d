// What a profile means where it says nothing (docs/profile.md gives the same figures).
import type { Profile } from './profile.ts';
import type { ValidSections } from './schema.ts';

type Shape = Profile['tunnel']['shape'];

export const DEFAULTS = {
  port: 500,
  nattPort: 4500,
  // RFC 9329 §2.
  tcpPort: 4500,
  replayWindow: 1024,
  interfaceName: 'culvert%d',
  path: 1500,
  livenessSeconds: 30,
  // RFC 3948 §4.
  keepaliveSeconds: 20,
  connectSeconds: 30,
  // As most gateways have it; who is first replaces.
  rekeySeconds: 3600,
  ikeRekeySeconds: 14_400,
  reauthSeconds: 0,
} as const;

/**
 * Tunnel mode in UDP crosses firewalls that know no protocol 50, which is what remote workers sit behind; gateways of the
 * site-to-site kind with transport mode often do not expect UDP without a NAT.
 */
export function defaultEncapsulation(shape: Shape): 'udp' | 'auto' {
  return shape === 'gre-tunnel' || shape === 'esp-tunnel' ? 'udp' : 'auto';
}

/** Families of the virtual addresses to ask for: what GRE's delivery header or the routes need. */
export function defaultFamilies(
  file: Pick<ValidSections, 'gateway' | 'tunnel' | 'gre' | 'routes'>,
): readonly (4 | 6)[] {
  switch (file.tunnel?.shape) {
    case undefined:
    case 'gre-transport':
    case 'gre-plain':
      return [];
    case 'gre-tunnel':
      if (file.gre?.local) return [];
      return [(file.gre?.remote ?? file.gateway?.host ?? '').includes(':') ? 6 : 4];
    case 'esp-tunnel': {
      const routes = file.routes?.include ?? [];
      const six = routes.some((text) => text.includes(':'));
      const four = routes.length === 0 || routes.some((text) => !text.includes(':'));
      return [...(four ? [4 as const] : []), ...(six ? [6 as const] : [])];
    }
  }
}
