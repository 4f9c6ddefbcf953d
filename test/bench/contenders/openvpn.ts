// OpenVPN at both ends: TLS with certificates made for the run, the data channel in userspace (no DCO). Static keys would not
// do: OpenVPN offers AEAD ciphers with TLS only. It gets what makes it faster: --fast-io, no compression, no log of packets.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, Running } from '../../live/lab.ts';
import { between, OUTER, pidOf, type Recipe, timed } from './contender.ts';

const PROGRAM = '/usr/sbin/openvpn';
const INNER = { cl: '10.55.0.2', gw: '10.55.0.1' } as const;
const READY = /Initialization Sequence Completed/;

/** A self-signed certificate in `lab`'s folder. Returns its SHA-256 fingerprint, by which the other end knows it. */
function certificate(lab: Lab, end: 'cl' | 'gw'): string {
  const [key, cert] = [join(lab.directory, `${end}.key`), join(lab.directory, `${end}.crt`)];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${end}`, '-keyout', key, '-out', cert],
    ],
    { stdio: 'pipe' },
  );
  const printed = execFileSync('openssl', ['x509', '-in', cert, '-noout', '-fingerprint', '-sha256'], {
    encoding: 'utf8',
  });
  return printed.slice(printed.indexOf('=') + 1).trim();
}

function start(lab: Lab, end: 'cl' | 'gw', cipher: string, peerFingerprint: string): Running {
  const other = end === 'cl' ? 'gw' : 'cl';
  return lab.start(end, [
    PROGRAM,
    ...['--dev', 'tun', '--dev-type', 'tun', '--proto', 'udp', '--disable-dco', '--fast-io'],
    ...['--local', OUTER[end], '--port', '1194', '--remote', OUTER[other], '1194'],
    ...(end === 'gw' ? ['--tls-server', '--dh', 'none'] : ['--tls-client']),
    ...['--key', join(lab.directory, `${end}.key`), '--cert', join(lab.directory, `${end}.crt`)],
    ...['--peer-fingerprint', peerFingerprint, '--data-ciphers', cipher, '--cipher', cipher],
    ...['--ifconfig', INNER[end], INNER[other], '--verb', '3'],
  ]);
}

/** `cipher`: OpenVPN's name, e.g. "AES-256-GCM". */
export function openVpn(cipher: string): Recipe {
  const who = { product: 'openvpn', name: `OpenVPN, ${cipher}` } as const;
  return {
    ...who,
    missing: existsSync(PROGRAM) ? undefined : 'OpenVPN is not installed (openvpn)',
    open: (link) =>
      between(who, link, async (lab) => {
        const prints = { cl: certificate(lab, 'cl'), gw: certificate(lab, 'gw') };
        const gateway = start(lab, 'gw', cipher, prints.cl);
        await gateway.saw(/UDPv4 link remote/);
        let client: Running | undefined;
        const connected = await timed(async () => {
          client = start(lab, 'cl', cipher, prints.gw);
          await client.saw(READY);
        });
        await gateway.saw(READY);
        if (!client) throw new Error('unreachable');
        await client.saw(new RegExp(`Data Channel: cipher '${cipher}'`));
        if (/DCO device/.test(client.output)) throw new Error(`OpenVPN went into the kernel:\n${client.output}`);
        // It connects by itself as it starts: there is no moment of readiness before.
        return { address: INNER.gw, engine: [pidOf(client)], started: { ready: 0, connected } };
      }),
  };
}
