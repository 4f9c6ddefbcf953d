// The transitions alone: every state has an answer to every event, and none leads where it must not.
import { describe, expect, it } from 'vitest';
import { type ContractError, check, EngineState, type TunnelInfo } from '../../main/ipc/contract.ts';
import { STABLE_AFTER } from '../../main/session/established.ts';
import type { Failure } from '../../main/session/failure.ts';
import { transition } from '../../main/session/session.ts';
import { type Context, type Effect, type SessionEvent, type State, shown } from '../../main/session/state.ts';

const error: ContractError = { code: 'test/error', message: 'It broke.', remedy: 'Mend it.' };
const transient: Failure = { error, permanent: false };
const permanent: Failure = { error: { ...error, code: 'test/refused' }, permanent: true };
const tunnel: TunnelInfo = {
  shape: 'gre-tunnel',
  interfaceName: 'culvert0',
  gateway: '198.51.100.1:4500',
  gatewayIdentity: 'gateway.example.com',
  local: '192.0.2.10:4500',
  encapsulation: 'udp',
  behindNat: { local: false, remote: false },
  addresses: ['10.88.0.2/24'],
  assigned: [],
  dns: [],
  ikeProposal: 'aes256gcm16-prfsha256-ecp256',
  espProposal: 'aes128gcm16',
  mtu: { value: 1400, explanation: '', mss4: 1360, mss6: 1340 },
  routes: { include: [], exclude: [] },
  since: 0,
  warnings: [{ code: 'test/beware', data: {}, text: 'beware' }],
};
const context: Context = { profile: 'office', now: 1_000, wall: 9_000_000, chance: () => 1 };

const first = { retries: 0 };
const retry = { because: error, tries: { retries: 2 }, at: 5_000, wallAt: 9_004_000 };
const view = { state: 'disconnecting', profile: 'office' } as const;
const states: readonly State[] = [
  { kind: 'idle', lastError: null },
  { kind: 'failed', error },
  { kind: 'connecting', step: 'auth', tries: first },
  { kind: 'connecting', step: 'auth', tries: { retries: 3 } },
  { kind: 'connected', tunnel, since: 0, tries: first },
  { kind: 'waiting', retry },
  { kind: 'waiting', retry: { ...retry, at: null } },
  { kind: 'closing', afterwards: { kind: 'idle', lastError: null }, scope: 'everything', shown: view },
  { kind: 'closing', afterwards: { kind: 'failed', error }, scope: 'everything', shown: view },
  { kind: 'closing', afterwards: { kind: 'retry', retry }, scope: 'link', shown: view },
  { kind: 'closing', afterwards: { kind: 'idle', lastError: error }, scope: 'link', shown: view },
];
const events: readonly SessionEvent[] = [
  { kind: 'start' },
  { kind: 'stop' },
  { kind: 'step', step: 'tun' },
  { kind: 'up', tunnel },
  { kind: 'changed', tunnel },
  { kind: 'lost', failure: transient },
  { kind: 'lost', failure: permanent },
  { kind: 'lost', failure: permanent, hold: true },
  { kind: 'closed' },
  { kind: 'retryDue' },
];

const kinds = (effects: readonly Effect[]): string[] =>
  effects.map(({ kind }) => kind).filter((kind) => kind !== 'log');

describe('transition', () => {
  it.each(states.flatMap((state) => events.map((event) => ({ state, event, name: `${state.kind} × ${event.kind}` }))))(
    '$name keeps the rules',
    ({ state, event }) => {
      const { state: next, effects } = transition(state, event, context);
      const opens = effects.some(({ kind }) => kind === 'open');
      const closes = effects.some(({ kind }) => kind === 'close');
      // A link is opened exactly on entering connecting, from a state that has none.
      expect(opens).toBe(next.kind === 'connecting' && state.kind !== 'connecting');
      if (opens) expect(['idle', 'failed', 'waiting']).toContain(state.kind);
      // Something is closed exactly on entering closing, or on going from closing the link to closing the rest.
      expect(closes).toBe(next.kind === 'closing' && (state.kind !== 'closing' || event.kind === 'closed'));
      // Nothing that holds resources ends without closing them.
      if (next.kind === 'idle' || next.kind === 'failed') expect(['idle', 'failed', 'closing']).toContain(state.kind);
      // Whoever is connected or waits holds routes: only closing everything may lead out of it to the ground.
      if (state.kind === 'closing' && (next.kind === 'idle' || next.kind === 'failed'))
        expect(state.scope).toBe('everything');
      // stop leads down, always.
      if (event.kind === 'stop')
        expect(next.kind === 'idle' || (next.kind === 'closing' && next.afterwards.kind === 'idle')).toBe(true);
      expect(check(EngineState, shown(next, 'office'))).toBeNull();
    },
  );

  it('fails the first connection on any error, and retries later ones whatever the error', () => {
    const afresh = transition(states[2]!, { kind: 'lost', failure: transient }, context);
    expect(afresh.state).toMatchObject({ kind: 'closing', afterwards: { kind: 'failed' }, scope: 'everything' });
    const again = transition(states[3]!, { kind: 'lost', failure: transient }, context);
    expect(again.state).toMatchObject({
      kind: 'closing',
      scope: 'link',
      afterwards: { kind: 'retry', retry: { tries: { retries: 4 }, at: 1_000 + 8_000 } },
    });
    const refused = transition(states[3]!, { kind: 'lost', failure: permanent }, context);
    // A refusal may be forged: the routes stay for that one too.
    expect(refused.state).toMatchObject({
      kind: 'closing',
      scope: 'link',
      afterwards: { kind: 'retry', retry: { because: { code: 'test/refused' }, tries: { retries: 4 } } },
    });
  });

  it('holds what was up without another try, and fails the first connection all the same', () => {
    const lost: SessionEvent = { kind: 'lost', failure: permanent, hold: true };
    const afresh = transition(states[2]!, lost, context);
    expect(afresh.state).toMatchObject({ kind: 'closing', afterwards: { kind: 'failed' } });
    for (const state of [states[3]!, states[4]!]) {
      const { state: next } = transition(state, lost, context);
      expect(next).toMatchObject({
        kind: 'closing',
        scope: 'link',
        afterwards: { kind: 'retry', retry: { at: null } },
      });
      expect(shown(next, 'office')).toMatchObject({ state: 'reconnecting', held: true });
      const { effects } = transition(next, { kind: 'closed' }, context);
      expect(effects).toEqual([{ kind: 'alarm', at: null }]);
    }
  });

  it('counts on where a connection did not hold, and anew where it did', () => {
    const state: State = { kind: 'connected', tunnel, since: 0, tries: { retries: 4 } };
    const lost: SessionEvent = { kind: 'lost', failure: transient };
    const soon = transition(state, lost, { ...context, now: STABLE_AFTER - 1 });
    expect(soon.state).toMatchObject({ afterwards: { retry: { tries: { retries: 5 } } } });
    const late = transition(state, lost, { ...context, now: STABLE_AFTER });
    expect(late.state).toMatchObject({ afterwards: { retry: { tries: { retries: 1 } } } });
  });

  it('finishes what it is closing before it closes the rest', () => {
    const closing = transition(states[9]!, { kind: 'stop' }, context);
    expect(kinds(closing.effects)).toEqual([]);
    expect(shown(closing.state, 'office').state).toBe('disconnecting');
    const rest = transition(closing.state, { kind: 'closed' }, context);
    expect(kinds(rest.effects)).toEqual(['alarm', 'close']);
    const down = transition(rest.state, { kind: 'closed' }, context);
    expect(down.state).toEqual({ kind: 'idle', lastError: error });
  });

  it('writes the warnings of a tunnel that comes up into the log', () => {
    const { effects } = transition(states[2]!, { kind: 'up', tunnel }, context);
    expect(effects).toContainEqual({ kind: 'log', level: 'warn', text: 'beware' });
  });
});
