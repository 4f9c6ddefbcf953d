// IKE fragmentation (RFC 7383) and redirect (RFC 5685) with strongSwan: who cuts what into how many pieces is read off the wire.
import { afterEach, expect, it } from 'vitest';
import { Capture } from './capture.ts';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { Scene, type SceneOptions } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

/** So many traffic selectors make an IKE_AUTH that is too large for one datagram. */
const MANY = ['10.77.0.1/32', ...Array.from({ length: 59 }, (_, i) => `10.78.${i}.0/24`)];

interface Piece {
  readonly from: string;
  readonly ipBytes: number;
  readonly messageId: number;
  readonly exchange: number;
  readonly number: number;
  readonly total: number;
}

/** The datagrams on the wire whose first payload is an Encrypted Fragment payload. */
function fragments(capture: Capture): readonly Piece[] {
  return capture.packets().flatMap((hex) => {
    const packet = Buffer.from(hex, 'hex').subarray(14);
    const port = packet.readUInt16BE(22);
    // UDP 4500: behind the non-ESP marker, which ESP does not have.
    const ike = packet.subarray(20 + 8 + (port === 4500 ? 4 : 0));
    if (port === 4500 && packet.readUInt32BE(28) !== 0) return [];
    if (ike.length < 36 || ike[16] !== 53) return [];
    return [
      {
        from: [...packet.subarray(12, 16)].join('.'),
        ipBytes: packet.readUInt16BE(2),
        messageId: ike.readUInt32BE(20),
        exchange: ike[18] ?? 0,
        number: ike.readUInt16BE(32),
        total: ike.readUInt16BE(34),
      },
    ];
  });
}

live('strongSwan, fragments and redirects', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  async function connected(options: SceneOptions, before?: (scene: Scene) => void) {
    const here = await Scene.open(options);
    scene = here;
    before?.(here);
    const capture = await Capture.start(here.lab, 'gw', 'v0b', 'udp');
    const profile = here.profile({ tunnel: { shape: 'gre-tunnel', remoteSelectors: MANY } });
    await here.culvert.connect(profile);
    expect(await here.ping(5, 1000)).toBe(5);
    await capture.stop();
    const pieces = fragments(capture);
    return {
      ours: pieces.filter(({ from }) => from === '192.0.2.2'),
      theirs: pieces.filter(({ from }) => from !== '192.0.2.2'),
    };
  }

  it('IKE_AUTH in fragments both ways, each as large as its sender likes', async () => {
    const { ours, theirs } = await connected({ charon: 'fragment_size = 220', connection: { fragmentation: 'yes' } });
    expect(ours.map(({ number, total }) => [number, total])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(ours[0]?.ipBytes).toBeGreaterThan(1200);
    expect(ours.every(({ ipBytes, exchange }) => ipBytes <= 1280 && exchange === 35)).toBe(true);
    expect(theirs.length).toBeGreaterThan(1);
    expect(theirs.every(({ ipBytes, total }) => ipBytes <= 220 && total === theirs.length)).toBe(true);
    expect(scene?.gateway.log).toMatch(/received fragment #2 of 2, reassembled fragmented IKE message/);
  });

  it('a path that carries no datagram over 700 bytes: smaller fragments after a second and a half', async () => {
    const started = Date.now();
    const { ours } = await connected({ connection: { fragmentation: 'yes' } }, ({ lab }) => {
      for (const space of ['cl', 'gw']) {
        lab.run(space, 'nft', 'add', 'table', 'ip', 'narrow');
        lab.run(space, 'nft', 'add chain ip narrow in { type filter hook prerouting priority -500; }');
        lab.run(space, 'nft', 'add rule ip narrow in udp dport { 500, 4500 } udp length > 680 @th,64,32 0 drop');
      }
    });
    expect(Date.now() - started).toBeLessThan(20_000);
    const totals = [...new Set(ours.map(({ total }) => total))];
    expect(totals.length).toBe(2);
    const [large = 0, small = 0] = totals;
    expect(small).toBeGreaterThan(large);
    expect(ours.filter(({ total }) => total === small).every(({ ipBytes }) => ipBytes <= 576)).toBe(true);
  });

  it('is sent to another gateway in the middle of a connection', async () => {
    const here = await Scene.open({ connection: { local_addrs: '192.0.2.1,192.0.2.3' } });
    scene = here;
    here.lab.run('gw', 'ip', 'address', 'add', '192.0.2.3/24', 'dev', 'v0b');
    await here.culvert.connect(here.profile());
    expect(await here.ping(3, 56)).toBe(3);
    const sent = await here.gateway.swanctl('--redirect', '--ike', 'road', '--gateway', '192.0.2.3');
    expect(sent.code, sent.stderr).toBe(0);
    await here.culvert.daemon.saw(/The gateway sends us to another one: 192\.0\.2\.3/, 10_000);
    await here.culvert.until(
      ({ engine }) => engine.state === 'connected' && engine.tunnel.gateway === '192.0.2.3:4500',
      20_000,
    );
    expect(await here.ping(3, 56)).toBe(3);
    expect((await here.culvert.down()).code).toBe(0);
  });
});
