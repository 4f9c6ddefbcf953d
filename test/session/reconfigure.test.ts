// Other routes and another MTU while connected: at once, in the same connection, or not at all.
import { describe, expect, it } from 'vitest';
import { formatPrefix } from '../../main/wire/address.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { createWorld, type World } from './fakes/world.ts';

const script = { assigned: [prefix('10.10.0.5/32')] };
const profile = testProfile();

async function connected() {
  const world = createWorld({ script });
  const session = world.session(profile);
  session.start();
  await world.clock.settle();
  if (session.state.state !== 'connected') throw new Error(session.state.state);
  return { world, session };
}
const included = (world: World) => world.routes?.include.map(formatPrefix);

describe('a connected session', () => {
  it('takes over routes and MTU at once, and keeps its keys', async () => {
    const { world, session } = await connected();
    const before = world.calls.length;
    const seen: unknown[] = [];
    session.on((state) => seen.push(state));
    await session.reconfigure({
      routes: {
        ...profile.routes,
        include: [prefix('10.99.0.0/16'), prefix('172.16.0.0/12')],
        exclude: [prefix('172.16.9.0/24')],
      },
      mtu: { ...profile.mtu, value: 1300 },
    });
    expect(included(world)).toEqual(['10.99.0.0/16', '172.16.0.0/12']);
    expect(world.routes?.exclude.map(formatPrefix)).toEqual(['172.16.9.0/24']);
    expect(world.tuns.at(-1)?.mtu).toBe(1300);
    expect(world.plane().params).toMatchObject({ mtu: 1300, mss4: 1260 });
    expect(session.state).toMatchObject({
      state: 'connected',
      tunnel: { mtu: { value: 1300, computed: 1410 }, routes: { include: ['10.99.0.0/16', '172.16.0.0/12'] } },
    });
    expect(seen).toHaveLength(1);
    expect(world.planes).toHaveLength(1);
    expect(world.calls.slice(before).join(' ')).not.toMatch(/socket|lookup|install/i);
    await session.stop();
    expect(world.violations).toEqual([]);
    expect(world.remains()).toEqual([]);
  });

  it('keeps what the network said of the path, until the person says something else', async () => {
    const { world, session } = await connected();
    world.plane().emit({ kind: 'pathError', errno: 90, name: 'EMSGSIZE', mtu: 1400 });
    await world.clock.settle();
    const mtu = () => (session.state.state === 'connected' ? session.state.tunnel.mtu : null);
    expect(mtu()).toMatchObject({ path: 1400 });
    await session.reconfigure({ routes: profile.routes, mtu: profile.mtu });
    expect(mtu()).toMatchObject({ path: 1400 });
    await session.reconfigure({ routes: profile.routes, mtu: { ...profile.mtu, path: 1480 } });
    expect(mtu()).toMatchObject({ path: 1480 });
    await session.stop();
  });

  it('is as before where the new settings cannot be', async () => {
    const { world, session } = await connected();
    const state = session.state;
    world.options = { ...world.options, failAt: world.calls.length + 2 };
    await expect(
      session.reconfigure({
        routes: { ...profile.routes, include: [prefix('172.16.0.0/12')] },
        mtu: { ...profile.mtu, value: 1300 },
      }),
    ).rejects.toMatchObject({ failure: { error: { code: expect.stringMatching(/^(net|session)\//) } } });
    expect(included(world)).toEqual(['10.99.0.0/16']);
    expect(world.tuns.at(-1)?.mtu).toBe(1410);
    expect(session.state).toEqual(state);
    await session.stop();
    expect(world.remains()).toEqual([]);
  });

  it('connects again with what it was given', async () => {
    const { world, session } = await connected();
    await session.reconfigure({ routes: { ...profile.routes, include: [prefix('172.16.0.0/12')] }, mtu: profile.mtu });
    world.say('delete');
    await world.clock.settle();
    expect(session.state.state).toBe('reconnecting');
    await session.reconfigure({ routes: { ...profile.routes, include: [prefix('172.20.0.0/16')] }, mtu: profile.mtu });
    session.retryNow();
    await world.clock.settle();
    expect(session.state.state).toBe('connected');
    expect(included(world)).toEqual(['172.20.0.0/16']);
    await session.stop();
  });
});
