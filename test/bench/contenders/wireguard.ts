// wireguard-go at both ends, the userspace implementation with its own cipher, ChaCha20-Poly1305.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, Running } from '../../live/lab.ts';
import { between, OUTER, pidOf, type Recipe, timed } from './contender.ts';

const PROGRAM = '/usr/bin/wireguard-go';
const TOOL = '/usr/bin/wg';
const INNER = { cl: '10.44.0.2', gw: '10.44.0.1' } as const;
const MTU = 1420;

let interfaces = 0;

interface End {
  readonly running: Running;
  readonly device: string;
}

async function start(lab: Lab, end: 'cl' | 'gw'): Promise<End> {
  // Its control socket lies in a folder that all namespaces share, by the interface's name: that must be unique.
  const device = `wg${process.pid}x${interfaces++}`;
  const running = lab.start(end, [PROGRAM, '-f', device], { LOG_LEVEL: 'verbose' });
  await running.saw(/UAPI listener started/);
  return { running, device };
}

function configure(lab: Lab, end: 'cl' | 'gw', device: string, peerKey: string): void {
  const other = end === 'cl' ? 'gw' : 'cl';
  lab.run(
    end,
    ...[TOOL, 'set', device, 'private-key', join(lab.directory, `${end}.key`), 'listen-port', '51820'],
    ...['peer', peerKey, 'allowed-ips', `${INNER[other]}/32`, 'endpoint', `${OUTER[other]}:51820`],
  );
  lab.run(end, 'ip', 'address', 'add', INNER[end], 'peer', INNER[other], 'dev', device);
  lab.run(end, 'ip', 'link', 'set', device, 'mtu', String(MTU), 'up');
}

export function wireGuardGo(): Recipe {
  const who = { product: 'wireguard-go', name: 'wireguard-go, ChaCha20-Poly1305' } as const;
  const missing = [
    [PROGRAM, 'wireguard-go'],
    [TOOL, 'wireguard-tools'],
  ].filter(([path]) => !existsSync(path as string));
  return {
    ...who,
    missing: missing.length
      ? `wireguard-go is not installed (${missing.map(([, packageName]) => packageName).join(', ')})`
      : undefined,
    open: (link) =>
      between(who, link, async (lab) => {
        const publicKey = (end: string): string => {
          const key = execFileSync(TOOL, ['genkey'], { encoding: 'utf8' });
          writeFileSync(join(lab.directory, `${end}.key`), key, { mode: 0o600 });
          return execFileSync(TOOL, ['pubkey'], { encoding: 'utf8', input: key }).trim();
        };
        const keys = { cl: publicKey('cl'), gw: publicKey('gw') };
        const gateway = await start(lab, 'gw');
        configure(lab, 'gw', gateway.device, keys.cl);
        const from = performance.now();
        const client = await start(lab, 'cl');
        const ready = performance.now() - from;
        const connected = await timed(async () => {
          configure(lab, 'cl', client.device, keys.gw);
          // The first packet makes the handshake happen.
          lab.run('cl', 'ping', '-n', '-q', '-c', '1', '-W', '10', INNER.gw);
        });
        return { address: INNER.gw, engine: [pidOf(client.running)], started: { ready, connected } };
      }),
  };
}
