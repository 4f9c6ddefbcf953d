// Culvert at both ends as a person runs it: the compiled gateway, the daemon and the command line. GRE in ESP tunnel mode in UDP.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Culvert, culvertMissing } from '../../live/culvert.ts';
import { between, OUTER, pidOf, type Recipe, timed } from './contender.ts';

const GATEWAY = fileURLToPath(new URL('../../../build/out/main/gateway/run.js', import.meta.url));
const USER = { identity: 'alice@example.com', secret: 'correct horse battery' };

/** `esp`: the keyword of the only ESP proposal, e.g. "aes128gcm16". */
export function culvert(esp: string): Recipe {
  const who = { product: 'culvert', name: `Culvert with GRE, ${esp}` } as const;
  return {
    ...who,
    missing: culvertMissing() ?? culvertMissing('gateway/run.js'),
    open: (link) =>
      between(who, link, async (lab) => {
        const file = join(lab.directory, 'gateway.json');
        writeFileSync(
          file,
          JSON.stringify({
            identity: 'gw.example',
            users: [USER],
            listen: { address: OUTER.gw },
            encapsulation: 'udp',
            shapes: ['gre-tunnel'],
            pool: { ipv4: '10.99.0.0/24' },
            gre: { endpoint: '10.77.0.1', address: ['10.88.0.1/24'] },
            proposals: { esp: [esp] },
          }),
        );
        await lab.start('gw', [process.execPath, GATEWAY, '--config', file]).saw(/ready/);
        const start = performance.now();
        const client = await Culvert.start(lab, 'cl');
        const ready = performance.now() - start;
        const connected = await timed(() =>
          client.connect({
            culvert: 1,
            name: 'bench',
            gateway: { host: OUTER.gw, identity: 'gw.example' },
            authentication: { method: 'psk', ...USER },
            tunnel: { shape: 'gre-tunnel' },
            gre: { address: ['10.88.0.2/24'], remote: '10.77.0.1' },
            routes: { include: ['10.88.0.0/24'] },
            proposals: { esp: [esp] },
          }),
        );
        return { address: '10.88.0.1', engine: [pidOf(client.daemon)], started: { ready, connected } };
      }),
  };
}
