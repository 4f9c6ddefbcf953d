// Sent to another gateway (RFC 5685), and back with a ticket (RFC 5723): what the session makes of what IKE says.
import { describe, expect, it } from 'vitest';
import { IkeError } from '../../main/ike/error.ts';
import type { CloseReason } from '../../main/ike/peer.ts';
import { ResumptionTicket } from '../../main/ike/ticket.ts';
import type { Session } from '../../main/session/deps.ts';
import { formatAddress } from '../../main/wire/address.ts';
import { saOf } from '../ike/agreed.ts';
import { prefix, testProfile } from './fakes/profile.ts';
import { stopClean } from './fakes/stop.ts';
import { createWorld, GATEWAY, type World, type WorldOptions } from './fakes/world.ts';

const OTHER = Uint8Array.of(198, 51, 100, 77);
const script = { assigned: [prefix('10.10.0.5/32')] };

async function started(options: WorldOptions = {}): Promise<{ readonly world: World; readonly session: Session }> {
  const world = createWorld({ script, ...options });
  const session = world.session(testProfile());
  session.start();
  await world.clock.settle();
  return { world, session };
}

/** IKE says that it is over. */
function end(world: World, reason: CloseReason, kind: 'ike' | 'natt' = 'natt'): void {
  world.peer().inject({ kind: 'closed', reason });
  world.say('anything', kind);
}

const sentTo = (to = OTHER): CloseReason => ({ by: 'redirect', to: { kind: 'address', address: to } });
const remotes = (world: World): readonly string[] =>
  world.peers.map(({ config }) => formatAddress(config.remote.address));
const silence: CloseReason = {
  by: 'error',
  error: new IkeError({ code: 'no-response', message: 'scripted', remedy: 'scripted' }),
};

describe('sent to another gateway', () => {
  it('in the middle of a connection: made anew there, by a gateway that knows who has sent us', async () => {
    const { world, session } = await started();
    expect(world.peer().config).toMatchObject({ takesRedirects: true, redirectedFrom: undefined });
    const expected = world.peer().config.remoteIdentity;
    end(world, sentTo());
    await world.clock.advance(3_000);
    expect(session.state.state).toBe('connected');
    expect(remotes(world)).toEqual([formatAddress(GATEWAY), formatAddress(OTHER)]);
    expect(world.peer().config.redirectedFrom).toEqual(GATEWAY);
    // RFC 5685 §3: it has to prove the same identity.
    expect(world.peer().config.remoteIdentity).toEqual(expected);
    // And again there, when the connection is lost.
    end(world, silence);
    await world.clock.advance(3_000);
    expect(remotes(world).at(-1)).toBe(formatAddress(OTHER));
    await stopClean({ world, session });
  });

  it('in the middle of connecting, without a failure', async () => {
    const { world, session } = await started({
      answers: (address) => formatAddress(address) !== formatAddress(GATEWAY),
    });
    end(world, sentTo(), 'ike');
    await world.clock.advance(2_000);
    expect(session.state.state).toBe('connected');
    expect(remotes(world)).toEqual([formatAddress(GATEWAY), formatAddress(OTHER)]);
    await stopClean({ world, session });
  });

  it('to a name, which is looked up', async () => {
    const { world, session } = await started({ addresses: [GATEWAY] });
    end(world, { by: 'redirect', to: { kind: 'name', name: 'gw2.example.com' } });
    await world.clock.advance(3_000);
    expect(session.state.state).toBe('connected');
    expect(world.logs.some(({ text }) => text.includes('gw2.example.com'))).toBe(true);
    await stopClean({ world, session });
  });

  it('to one that does not answer: the profile’s own gateway is next', async () => {
    const { world, session } = await started({ answers: (address) => formatAddress(address) !== formatAddress(OTHER) });
    end(world, sentTo());
    await world.clock.advance(60_000);
    expect(session.state.state).toBe('connected');
    expect(remotes(world)).toEqual([formatAddress(GATEWAY), formatAddress(OTHER), formatAddress(GATEWAY)]);
    await stopClean({ world, session });
  });

  it('round in circles: five times in five minutes, then no more', async () => {
    const { world, session } = await started();
    for (let i = 0; i < 6; i++) {
      end(world, sentTo(i % 2 ? GATEWAY : OTHER));
      await world.clock.advance(1);
      // Each loss soon after the last waits longer.
      for (let s = 0; s < 40 && session.state.state !== 'connected'; s++) await world.clock.advance(1_000);
      expect(session.state.state).toBe('connected');
    }
    expect(world.logs.some(({ text }) => text.includes('not following any more'))).toBe(true);
    // The sixth was not followed: back to the profile's gateway.
    expect(remotes(world)[6]).toBe(formatAddress(GATEWAY));
    await stopClean({ world, session });
  });
});

describe('a ticket', () => {
  const made = (lifetime = 3600, now = 0) => {
    const { suite } = saOf('initiator');
    const names = { initiator: { type: 'fqdn', text: 'a' }, responder: { type: 'fqdn', text: 'b' } } as const;
    const SK_d = new Uint8Array(32).fill(7);
    return {
      SK_d,
      ticket: new ResumptionTicket({ lifetime, ticket: Uint8Array.of(1) }, { suite, SK_d, ...names }, now),
    };
  };
  const give = (world: World, ticket: ResumptionTicket | undefined): void => {
    world.peer().inject({ kind: 'ticket', ticket });
    world.say('anything');
  };

  it('is asked for, and used where the connection was lost without a word', async () => {
    const { world, session } = await started();
    expect(world.peer().config).toMatchObject({ wantsTickets: true, resume: undefined });
    const { ticket, SK_d } = made(3600, world.clock.now());
    give(world, ticket);
    end(world, silence);
    await world.clock.settle();
    expect(SK_d[0]).toBe(7);
    await world.clock.advance(3_000);
    expect(session.state.state).toBe('connected');
    expect(world.peer().config.resume).toBe(ticket);
    // Connected: it is used up.
    expect(SK_d.every((byte) => byte === 0)).toBe(true);
    end(world, silence);
    await world.clock.advance(3_000);
    expect(world.peer().config.resume).toBeUndefined();
    await stopClean({ world, session });
  });

  it.each([
    ['the gateway deletes the SA', (world: World) => end(world, { by: 'peer' })],
    ['the gateway sends us elsewhere', (world: World) => end(world, sentTo())],
    ['the SA is rekeyed, and no other one has come', (world: World) => give(world, undefined)],
  ])('is wiped when %s', async (_, happen) => {
    const { world, session } = await started();
    const { ticket, SK_d } = made(3600, world.clock.now());
    give(world, ticket);
    happen(world);
    await world.clock.advance(3_000);
    expect(SK_d.every((byte) => byte === 0)).toBe(true);
    expect(world.peers.slice(1).every(({ config }) => config.resume === undefined)).toBe(true);
    await stopClean({ world, session });
  });

  it('is not shown again after an attempt with it that the gateway has refused', async () => {
    const { world, session } = await started();
    const { ticket, SK_d } = made(3600, world.clock.now());
    give(world, ticket);
    world.options = { ...world.options, script: { ...script, refuse: { at: 'auth', code: 'protocol' } } };
    end(world, silence);
    await world.clock.advance(60_000);
    const shown = world.peers.slice(1).map(({ config }) => config.resume === ticket);
    expect([shown.filter((one) => one).length, shown.length > 1]).toEqual([1, true]);
    expect(SK_d.every((byte) => byte === 0)).toBe(true);
    world.options = { ...world.options, script };
    await world.clock.advance(60_000);
    expect(session.state.state).toBe('connected');
    await stopClean({ world, session });
  });

  it('is wiped when the session ends', async () => {
    const { world, session } = await started();
    const { ticket, SK_d } = made(3600, world.clock.now());
    give(world, ticket);
    await world.clock.settle();
    await stopClean({ world, session });
    expect(SK_d.every((byte) => byte === 0)).toBe(true);
  });

  it('is not shown to another gateway, and outlives attempts that nobody answers', async () => {
    const { world, session } = await started();
    const { ticket } = made(3600, world.clock.now());
    give(world, ticket);
    world.options = { ...world.options, answers: () => false };
    end(world, silence);
    await world.clock.advance(60_000);
    expect(session.state.state).not.toBe('connected');
    world.options = { ...world.options, answers: () => true };
    await world.clock.advance(60_000);
    expect(session.state.state).toBe('connected');
    expect(world.peers.slice(1).every(({ config }) => config.resume === ticket)).toBe(true);
    await stopClean({ world, session });
  });
});
