// SAs are replaced because of what they have carried, and the whole connection because its authentication is old, under
// traffic: every packet comes through (RFC 7296 §2.8). strongswan-rekey.test.ts does it by time, and from the gateway.
import { afterEach, expect, it } from 'vitest';
import { culvertMissing } from './culvert.ts';
import { cannotRunLive, type Running } from './lab.ts';
import { live } from './live.ts';
import { strongSwanMissing } from './strongswan.ts';
import { INNER_GATEWAY, Scene } from './strongswan-gateway.ts';

const missing = [cannotRunLive(), strongSwanMissing(), culvertMissing()];

live('strongSwan, keys that have carried enough', missing, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  const counted = (text: string, what: RegExp): number => [...text.matchAll(what)].length;
  const children = (here: Scene): number => counted(here.gateway.running.output, /CHILD_SA gre\{\d+\} established/g);

  /** What was sent up to the newest answer, and what of it was not answered: the last ones are still on their way at the end. */
  function holes(output: string): { sent: number; lost: number } {
    const answered = new Set([...output.matchAll(/icmp_seq=(\d+) ttl/g)].map(([, sequence]) => Number(sequence)));
    const sent = Math.max(...answered);
    return { sent, lost: sent - answered.size };
  }

  /** 250 pings a second, one after another, whether the last was answered or not. */
  function pinging(here: Scene): { running: Running; lost(): Promise<{ sent: number; lost: number }> } {
    const running = here.lab.start('cl', ['ping', '-n', '-i', '0.004', INNER_GATEWAY]);
    return {
      running,
      async lost() {
        await running.stop('SIGINT');
        return holes(running.output);
      },
    };
  }

  it('are replaced after so many packets', async () => {
    scene = await Scene.open();
    await scene.culvert.connect(scene.profile({ timing: { rekeyPackets: 150 } }));
    const traffic = pinging(scene);
    await traffic.running.saw(/icmp_seq=1000 /, 30_000);
    const { sent, lost } = await traffic.lost();
    console.log(`every 150 packets: ${children(scene)} CHILD SAs, ${lost} of ${sent} pings lost`);
    expect(lost).toBe(0);
    expect(children(scene)).toBeGreaterThan(5);
    expect(scene.culvert.daemon.output).not.toContain('reconnecting');
  });

  it('are replaced under a TCP transfer in each direction, every megabyte', async () => {
    scene = await Scene.open();
    await scene.culvert.connect(scene.profile({ timing: { rekeyBytes: 1_000_000 } }));
    const rates = [await scene.transfer('up', 20_000_000), await scene.transfer('down', 20_000_000)];
    const text = rates.map((rate) => Math.round(rate)).join(' and ');
    console.log(`every megabyte: ${children(scene)} CHILD SAs, ${text} Mbit/s`);
    expect(children(scene)).toBeGreaterThan(10);
    expect(scene.culvert.daemon.output).not.toContain('reconnecting');
  });

  it('the connection is authenticated anew beside the one that is up, twice', async () => {
    scene = await Scene.open();
    const { gateway, culvert } = scene;
    await culvert.connect(scene.profile({ timing: { reauthSeconds: 5 } }));
    const traffic = pinging(scene);
    await culvert.daemon.saw(/(authenticated anew[\s\S]*){2}/, 30_000);
    const [from] = [...traffic.running.output.matchAll(/icmp_seq=(\d+) /g)].slice(-1);
    await traffic.running.saw(new RegExp(`icmp_seq=${Number(from?.[1]) + 100} `), 20_000);
    const { sent, lost } = await traffic.lost();
    console.log(`authenticated anew twice: ${lost} of ${sent} pings lost`);
    expect(lost).toBe(0);
    expect(counted(gateway.running.output, /IKE_SA road\[\d+\] established/g)).toBeGreaterThanOrEqual(3);
    expect(culvert.daemon.output).not.toContain('reconnecting');
    // One is left at the gateway, not three.
    const { stdout } = await gateway.swanctl('--list-sas');
    expect(counted(stdout, /^road: /gm)).toBe(1);
  });

  it('of two CHILD SAs, one for GRE and one without, are replaced each by itself', async () => {
    scene = await Scene.open();
    const { gateway, culvert, lab } = scene;
    const profile = scene.profile({ timing: { rekeyPackets: 150 } });
    await culvert.connect({ ...profile, tunnel: { shape: 'gre-tunnel', direct: ['10.66.0.0/24'] } });
    await gateway.running.saw(/CHILD_SA net\{\d+\} established/, 20_000);
    expect(lab.run('cl', 'ip', 'route', 'get', '10.66.0.1')).toMatch(/dev culvert0 .*src 10\.99\.0\.1/);
    const traffic = pinging(scene);
    const beside = lab.start('cl', ['ping', '-n', '-i', '0.004', '10.66.0.1']);
    await beside.saw(/icmp_seq=500 /, 30_000);
    await beside.stop('SIGINT');
    const { sent, lost } = await traffic.lost();
    const other = holes(beside.output);
    const direct = counted(gateway.running.output, /CHILD_SA net\{\d+\} established/g);
    console.log(
      `two kinds: ${children(scene)} and ${direct} CHILD SAs, ${lost} of ${sent} and ${other.lost} of ${other.sent} pings lost`,
    );
    expect(lost).toBe(0);
    expect(other.lost).toBe(0);
    expect(children(scene)).toBeGreaterThan(2);
    expect(direct).toBeGreaterThan(2);
    expect(culvert.daemon.output).not.toContain('reconnecting');
  });
});
