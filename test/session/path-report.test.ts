// What the network says of the path, true and made up. Time is the test's; the path is a number.
import { expect, it } from 'vitest';
import type { ProbeOutcome } from '../../main/session/path-probe.ts';
import { AGED_AFTER, createPathReports, DEAF_FOR } from '../../main/session/path-report.ts';
import { fakeClock } from './fakes/clock.ts';

const OURS = 0xc0ffee01;

function rig(options: { readonly least?: number } = {}) {
  const clock = fakeClock();
  const world = { carries: 1500, own: 1500, lose: 0, probes: true, tunnel: true, cut: false, widest: 1500 };
  const state = { path: 1500, trusted: true, disproved: [] as [number, number][], probed: [] as number[] };
  const answer = (size: number): ProbeOutcome => {
    if (!world.probes) return { kind: 'unavailable' };
    if (size > world.own) return { kind: 'too-big' };
    if (size > world.carries || world.lose-- > 0) return { kind: 'lost' };
    return { kind: 'arrived', milliseconds: 5 };
  };
  const reports = createPathReports({
    clock,
    path: () => (world.tunnel ? state.path : null),
    widest: () => world.widest,
    least: options.least ?? 576,
    probe: async (size) => {
      state.probed.push(size);
      return answer(size);
    },
    routersMayCut: () => world.cut,
    isOurs: (spi) => spi === OURS,
    setPath: (mtu) => {
      state.path = mtu;
    },
    trustKernel: (trust) => {
      state.trusted = trust;
    },
    disproved: (...said) => void state.disproved.push(said),
  });
  const report = async (mtu: number, quoted: number | null = null): Promise<void> => {
    reports.report(mtu, quoted);
    await settled();
  };
  return { clock, world, state, reports, report };
}

/** Everything that promises alone can still do. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('believes at once what quotes an SA of ours', async () => {
  const { state, report } = rig();
  await report(1400, OURS);
  expect(state).toMatchObject({ path: 1400, probed: [], trusted: true });
});

it.each([null, 0, 0xdeadbeef])('does not believe what the path disproves, quoting %s', async (quoted) => {
  const { state, report } = rig();
  await report(600, quoted);
  expect(state).toEqual({ path: 1500, trusted: false, disproved: [[600, 1500]], probed: [1500] });
});

it('does not let one lost probe decide', async () => {
  const { state, world, report } = rig();
  world.lose = 2;
  await report(600);
  expect(state).toMatchObject({ path: 1500, trusted: false, probed: [1500, 1500, 1500] });
});

it('believes what the path confirms, by three losses', async () => {
  const { state, world, report } = rig();
  world.carries = 1400;
  await report(1400);
  expect(state).toMatchObject({ path: 1400, trusted: true, disproved: [], probed: [1500, 1500, 1500] });
});

it('believes this computer’s own link at once', async () => {
  const { state, world, report } = rig();
  world.own = 1450;
  await report(1450);
  expect(state).toMatchObject({ path: 1450, probed: [1500, 1451] });
});

it('does not believe a number because this computer’s own link is narrow as well', async () => {
  const { state, world, clock, report } = rig();
  world.own = 1450;
  await report(600);
  expect(state).toEqual({ path: 1500, trusted: false, disproved: [[600, 601]], probed: [1500, 601] });
  // What is narrower than that is found, one after the other.
  await clock.advance(DEAF_FOR);
  world.carries = 1400;
  await report(1450);
  await report(1400);
  expect(state).toMatchObject({ path: 1400, probed: [1500, 601, 1500, 1451, 1450, 1450, 1450] });
});

it.each([1400, 600])(
  'proves %s by losses also where this computer’s own link is narrower than reckoned',
  async (mtu) => {
    const { state, world, report } = rig();
    world.own = 1450;
    world.carries = mtu;
    await report(mtu);
    expect(state).toMatchObject({ path: mtu, probed: [1500, mtu + 1, mtu + 1, mtu + 1] });
  },
);

it('believes where nothing can be asked', async () => {
  const { state, world, report } = rig();
  world.probes = false;
  await report(1300);
  expect(state).toMatchObject({ path: 1300 });
});

it('finds a path wide again that was never as wide as the profile says', async () => {
  const { state, world, clock, report } = rig();
  await report(1492, OURS);
  world.carries = 1400;
  await report(1400, OURS);
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state).toMatchObject({ path: 1400, probed: [1500, 1492] });
  world.carries = 1492;
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state.path).toBe(1492);
  // And goes on asking, of the widest alone.
  state.probed.splice(0);
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state).toMatchObject({ path: 1492, probed: [1500] });
  world.carries = 1500;
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state.path).toBe(1500);
  await clock.advance(10 * AGED_AFTER);
  expect(clock.pending).toBe(0);
});

it('finds no path wider than the person has chosen meanwhile', async () => {
  const { state, world, clock, report } = rig();
  await report(1492, OURS);
  await report(1300, OURS);
  world.widest = 1400;
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state).toMatchObject({ path: 1400, probed: [1400] });
  expect(clock.pending).toBe(0);
});

it('asks the packets themselves whether the path is wide again where nothing else can be asked', async () => {
  const { state, world, clock, report } = rig();
  world.probes = false;
  await report(1300);
  await clock.advance(AGED_AFTER - 1);
  expect(state).toMatchObject({ path: 1300 });
  await clock.advance(1);
  await settled();
  expect(state).toMatchObject({ path: 1500 });
  await report(1300);
  expect(state).toMatchObject({ path: 1300 });
});

it.each([null, OURS])('takes no lost probe for a proof where routers cut what we send, quoting %s', async (quoted) => {
  const { state, world, clock, report } = rig();
  world.cut = true;
  world.carries = 1400;
  await report(600, quoted);
  await report(601, quoted);
  expect(state).toMatchObject({ path: 1500, probed: [1500, 1500, 1500] });
  // Not even where nothing can be asked; but the link is our own.
  await clock.advance(DEAF_FOR);
  world.probes = false;
  await report(600, quoted);
  expect(state).toMatchObject({ path: 1500 });
  await clock.advance(DEAF_FOR);
  world.probes = true;
  world.own = 1400;
  await report(1400, quoted);
  expect(state).toMatchObject({ path: 1400 });
});

it('asks once for a flood, and not again for a while after one that was untrue', async () => {
  const { state, clock, reports, report } = rig();
  for (let mtu = 600; mtu < 700; mtu++) reports.report(mtu, null);
  await settled();
  await report(700);
  await clock.advance(DEAF_FOR - 1);
  await report(701);
  expect(state.probed).toEqual([1500]);
  await clock.advance(1);
  await report(702);
  expect(state.probed).toEqual([1500, 1500]);
  // One that is proved is heard all the time, and the kernel with it.
  await report(1400, OURS);
  expect(state).toMatchObject({ path: 1400, trusted: true });
});

it('says nothing of what it was told about a path that has changed meanwhile', async () => {
  const { state, world, reports } = rig();
  world.carries = 100;
  reports.report(1300, null);
  reports.report(1350, OURS);
  await settled();
  expect(state).toMatchObject({ path: 1350, disproved: [] });
});

it('never goes under what every network carries, nor by what is no news, nor without a tunnel', async () => {
  const six = rig({ least: 1280 });
  await six.report(68, OURS);
  expect(six.state.path).toBe(1280);
  await six.report(1280, OURS);
  await six.report(9000, OURS);
  expect(six.state.path).toBe(1280);
  const { state, world, report } = rig();
  world.tunnel = false;
  await report(600, OURS);
  await report(600);
  expect(state).toMatchObject({ path: 1500, probed: [] });
});

it('looks every ten minutes whether the path is wide again (RFC 1191 §6.3)', async () => {
  const { state, world, clock, report } = rig();
  world.carries = 1400;
  await report(1400, OURS);
  await clock.advance(AGED_AFTER - 1);
  await settled();
  expect(state.probed).toEqual([]);
  await clock.advance(1);
  await settled();
  expect(state).toMatchObject({ path: 1400, probed: [1500] });
  world.carries = 1500;
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state).toMatchObject({ path: 1500, probed: [1500, 1500] });
  await clock.advance(10 * AGED_AFTER);
  await settled();
  expect(state.probed).toHaveLength(2);
});

it('does nothing after its end', async () => {
  const { state, world, clock, reports, report } = rig();
  world.carries = 1400;
  await report(1400, OURS);
  reports.report(1300, null);
  reports.close();
  await settled();
  await report(1200, OURS);
  await clock.advance(AGED_AFTER);
  await settled();
  expect(state).toMatchObject({ path: 1400, disproved: [] });
});
