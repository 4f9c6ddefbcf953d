// Reports of a narrower path, against the real engine and the real kernel: one that anybody could have made up, and a true one of a
// router's, which quotes the SPI.
//
//   cl 198.51.100.2 ══ 198.51.100.9 rt 192.0.2.9 ══ 192.0.2.1 gw        inside: 10.88.0.2 ── GRE ── 10.88.0.1
import { afterEach, expect, it } from 'vitest';
import type { Status } from '../../main/ipc/contract.ts';
import { Capture } from './capture.ts';
import { Culvert, culvertMissing } from './culvert.ts';
import { cannotRunLive, Lab } from './lab.ts';
import { live } from './live.ts';
import { officeProfile, startOffice } from './office.ts';

const CLIENT = '198.51.100.2';
const GATEWAY = '192.0.2.1';

/** ICMP "fragmentation needed, MTU 600" about a packet that nobody sent: protocol in hexadecimal, and its first bytes. */
const FORGE = `
import socket, struct, sys
def sum16(data):
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def ip(source, target, protocol, length):
    head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, length, 1, 0x4000, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack('>H', sum16(head)) + head[12:]
protocol, quoted = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
body = ip('${CLIENT}', '${GATEWAY}', protocol, 1400) + quoted
icmp = struct.pack('>BBHHH', 3, 4, 0, 0, 600) + body
icmp = icmp[:2] + struct.pack('>H', sum16(icmp)) + icmp[4:]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.sendto(icmp, ('${CLIENT}', 0))
`;
const PORTS = '11941194';

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

async function open(encapsulation: 'udp' | 'auto'): Promise<{ lab: Lab; culvert: Culvert }> {
  const opened = new Lab();
  lab = opened;
  for (const namespace of ['cl', 'rt', 'gw']) opened.namespace(namespace);
  opened.link('cl', `${CLIENT}/24`, 'rt', '198.51.100.9/24');
  opened.link('rt', '192.0.2.9/24', 'gw', `${GATEWAY}/24`);
  opened.run('rt', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  opened.run('cl', 'ip', 'route', 'add', 'default', 'via', '198.51.100.9');
  opened.run('gw', 'ip', 'route', 'add', 'default', 'via', '192.0.2.9');
  await startOffice(opened, { listen: { address: GATEWAY } });
  const culvert = await Culvert.start(opened, 'cl');
  await culvert.connect(
    officeProfile({
      gateway: { host: GATEWAY, identity: 'gateway.example' },
      tunnel: { shape: 'gre-tunnel', encapsulation },
    }),
  );
  return { lab: opened, culvert };
}

const mtuOf = ({ engine }: Status): number => (engine.state === 'connected' ? engine.tunnel.mtu.value : Number.NaN);

live('reports of a narrower path', [cannotRunLive(), culvertMissing('gateway/run.js')], () => {
  it.each([
    // A UDP header of 4500 to 4500 without more, as old routers quote it, and an SPI that is none of ours.
    { encapsulation: 'udp', protocol: '17', quoted: `${PORTS}05500000` },
    { encapsulation: 'auto', protocol: '50', quoted: 'deadbeef00000001' },
  ] as const)(
    'a forged one is not believed, nor does the kernel act on it; a true one is: $encapsulation $quoted',
    async (options) => {
      const { lab, culvert } = await open(options.encapsulation);
      const before = mtuOf(await culvert.status());
      lab.run('rt', '/usr/bin/python3', '-c', FORGE, options.protocol, options.quoted);
      await culvert.daemon.saw(/600 bytes only, but 1500 arrive: not believed/);
      // It did arrive: the kernel took it for true.
      expect(lab.run('cl', 'ip', 'route', 'get', GATEWAY)).toContain('mtu 600');
      expect(mtuOf(await culvert.status())).toBe(before);
      const wire = await Capture.start(lab, 'rt', 'v0b', 'src', CLIENT);
      const sent = await lab.finish('cl', [
        'ping',
        '-n',
        '-c',
        '5',
        '-i',
        '0.02',
        '-M',
        'do',
        '-s',
        '1300',
        '10.88.0.1',
      ]);
      expect(sent.stdout).toMatch(/5 received/);
      await wire.stop();
      const lengths = await wire.tshark(['-Y', 'ip.len > 200'], ['ip.len', 'ip.flags.mf']);
      expect(lengths.length).toBe(5);
      for (const [length, more] of lengths) {
        expect(Number(length)).toBeGreaterThan(1300);
        expect(['0', 'False']).toContain(more);
      }

      // A true one is believed at once, also right after one that was not.
      lab.run('rt', 'ip', 'link', 'set', 'v1a', 'mtu', '1300');
      lab.run('gw', 'ip', 'link', 'set', 'v1b', 'mtu', '1300');
      await lab.finish('cl', ['ping', '-n', '-c', '1', '-W', '1', '-M', 'do', '-s', '1300', '10.88.0.1']);
      const after = await culvert.until((status) => mtuOf(status) < before, 5_000);
      expect(before - mtuOf(after)).toBe(200);
      expect(culvert.daemon.output.match(/not believed/g)).toHaveLength(1);
    },
  );
});
