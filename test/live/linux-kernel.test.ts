// GRE in ESP transport mode against a Linux kernel's own ESP and GRE (user-mode Linux), strongSwan negotiating: the
// site-to-site gateway that people really have. Raw ESP, and UDP-encapsulated through a NAT.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab, type Running } from './lab.ts';
import { live } from './live.ts';
import { charonConfiguration, strongSwanMissing } from './strongswan.ts';
import { startUml, umlMissing } from './uml.ts';

const missing = [cannotRunLive(), strongSwanMissing(), umlMissing(), culvertMissing()];
const TRANSFER = fileURLToPath(new URL('./transfer.mjs', import.meta.url));

interface Guest {
  readonly lab: Lab;
  readonly guest: Running;
  readonly culvert: Culvert;
}

/** `clientSeen`: the client's address as the gateway sees it (the NAT's, where there is one). */
async function open(nat: boolean, esp: string): Promise<Guest> {
  const lab = new Lab();
  try {
    lab.namespace('cl');
    lab.namespace('gw');
    const clientSeen = nat ? '192.0.2.9' : '198.51.100.2';
    lab.link('cl', '198.51.100.2/24', 'gw', '198.51.100.1/24');
    lab.run('cl', 'ip', 'route', 'add', '192.0.2.0/24', 'via', '198.51.100.1');
    lab.run('gw', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const configuration = join(lab.directory, 'guest');
    writeFileSync(
      `${configuration}.conf`,
      charonConfiguration({ kernel: 'kernel-netlink', vici: 'unix:///run/guest.vici', level: 1, more: '' }),
    );
    writeFileSync(
      `${configuration}.swanctl.conf`,
      `connections { site {
  version = 2
  local_addrs = 192.0.2.1
  proposals = aes256gcm16-prfsha256-ecp256
  local { auth = psk
    id = gw.example }
  remote { auth = psk }
  children { gre {
    local_ts = dynamic[gre]
    remote_ts = dynamic[gre]
    mode = transport
    esp_proposals = ${esp} } }
} }
secrets { ike { secret = "correct horse" } }
`,
    );
    const guest = startUml(lab, 'gw', 'tap0', {
      address: '192.0.2.1/24',
      script: `
ip route add default via 192.0.2.9
ip tunnel add gre1 mode gre local 192.0.2.1 remote ${clientSeen}
ip address add 10.88.0.1/24 dev gre1
ip link set gre1 mtu 1400 up
export STRONGSWAN_CONF=${configuration}.conf
/usr/lib/ipsec/charon &
for try in 1 2 3 4 5 6 7 8 9 10; do
  swanctl --load-all --file ${configuration}.swanctl.conf --noprompt --uri unix:///run/guest.vici && break
  sleep 1
done
${process.execPath} ${TRANSFER} serve 10.88.0.1 5001 &
echo guest: serving`,
    });
    lab.run('gw', 'ip', 'address', 'add', '192.0.2.9/24', 'dev', 'tap0');
    if (nat) {
      lab.run('gw', 'nft', 'add', 'table', 'ip', 'nat');
      lab.run('gw', 'nft', 'add chain ip nat post { type nat hook postrouting priority 100; }');
      lab.run('gw', 'nft', 'add rule ip nat post oifname tap0 masquerade');
    }
    await guest.saw(/guest: serving/, 60_000);
    await guest.saw(/^ready/m, 60_000);
    return { lab, guest, culvert: await Culvert.start(lab, 'cl') };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

live('a Linux kernel’s own ESP and GRE, transport mode', missing, () => {
  let scene: Guest | undefined;
  afterEach(async () => {
    await scene?.lab.close();
    scene = undefined;
  });

  for (const [name, nat, esp] of [
    ['raw ESP, AES-GCM', false, 'aes256gcm16'],
    ['raw ESP, ChaCha20-Poly1305', false, 'chacha20poly1305'],
    ['raw ESP, extended sequence numbers', false, 'aes128gcm16-esn'],
    ['raw ESP, AES-CBC with HMAC-SHA2', false, 'aes256-sha256'],
    ['raw ESP, AES-CBC with HMAC-SHA1, extended sequence numbers', false, 'aes128-sha1-esn'],
    ['UDP-encapsulated through a NAT', true, 'aes256gcm16'],
  ] as const) {
    it(`${name}: pings and TCP both ways, intact`, async () => {
      scene = await open(nat, esp);
      const { lab, culvert, guest } = scene;
      await culvert.connect({
        culvert: 1,
        name: 'site',
        gateway: { host: '192.0.2.1', identity: 'gw.example' },
        authentication: { method: 'psk', identity: 'alice@example.com', secret: 'correct horse' },
        tunnel: { shape: 'gre-transport' },
        gre: { address: ['10.88.0.2/24'] },
        routes: { include: ['10.88.0.0/24'] },
        // One of them has SHA-1.
        proposals: { policy: 'legacy', esp: [esp] },
      });
      const { engine } = await culvert.status();
      if (engine.state !== 'connected') throw new Error(engine.state);
      expect(engine.tunnel.encapsulation).toBe(nat ? 'udp' : 'raw');
      expect(guest.output).toMatch(/CHILD_SA gre\{\d+\} established/);
      const ping = await lab.finish('cl', [
        'ping',
        '-n',
        '-c',
        '10',
        '-i',
        '0.05',
        '-W',
        '2',
        '-s',
        '1200',
        '10.88.0.1',
      ]);
      expect(ping.stdout).toMatch(/10 received/);
      for (const direction of ['up', 'down']) {
        const moved = await lab.finish('cl', [process.execPath, TRANSFER, direction, '10.88.0.1', '5001', '5000000']);
        expect(moved, moved.stderr).toMatchObject({ code: 0 });
      }
      expect((await culvert.down()).code).toBe(0);
    }, 180_000);
  }
});
