// strongSwan's userspace ESP (kernel-libipsec) at both ends, without GRE.
import { StrongSwan, strongSwanMissing } from '../../live/strongswan.ts';
import { between, OUTER, pidOf, type Recipe, timed } from './contender.ts';

const FAR = '10.66.0.1';

const configuration = (more: string, esp: string, child: string): string => `connections { bench { version = 2
  proposals = aes256gcm16-prfsha256-ecp256
  ${more}
  local { auth = psk }
  remote { auth = psk }
  children { net { mode = tunnel
    esp_proposals = ${esp}
    ${child} } } } }
secrets { ike { secret = "correct horse" } }
pools { pool { addrs = 10.99.0.0/24 } }
`;

/** `esp`: the keyword of the only ESP proposal, e.g. "aes128gcm16". */
export function strongSwan(esp: string): Recipe {
  const who = { product: 'strongswan', name: `strongSwan userspace ESP, ${esp}` } as const;
  return {
    ...who,
    missing: strongSwanMissing(),
    open: (link) =>
      between(who, link, async (lab) => {
        lab.run('gw', 'ip', 'address', 'add', `${FAR}/32`, 'dev', 'lo');
        await StrongSwan.start(lab, 'gw', {
          swanctl: configuration(
            `local_addrs = ${OUTER.gw}\n  pools = pool`,
            esp,
            `local_ts = ${FAR}/32\n    remote_ts = dynamic`,
          ),
        });
        const start = performance.now();
        const client = await StrongSwan.start(lab, 'cl', {
          swanctl: configuration(
            `remote_addrs = ${OUTER.gw}\n  vips = 0.0.0.0`,
            esp,
            `remote_ts = ${FAR}/32\n    local_ts = dynamic`,
          ),
        });
        const ready = performance.now() - start;
        const connected = await timed(async () => {
          const up = await client.swanctl('--initiate', '--child', 'net');
          if (up.code !== 0) throw new Error(`swanctl --initiate: ${up.stdout}${up.stderr}`);
        });
        return { address: FAR, engine: [pidOf(client.running)], started: { ready, connected } };
      }),
  };
}
