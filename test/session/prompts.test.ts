// A person is asked for a password or a code: shown in the state, answered once, never in a hurry and never in a loop.
import { describe, expect, it } from 'vitest';
import { cancelledPrompt, EapError, refusedCredentials } from '../../main/eap/error.ts';
import type { IkeEffect, IkePeer } from '../../main/ike/peer.ts';
import type { Prompt } from '../../main/ipc/contract.ts';
import { createCredentials } from '../../main/session/credentials.ts';
import type { SessionDeps } from '../../main/session/deps.ts';
import { createPatience } from '../../main/session/patience.ts';
import { createPrompts, PROMPT_TIME } from '../../main/session/prompts.ts';
import { createSession } from '../../main/session/session.ts';
import { fakeClock } from './fakes/clock.ts';
import { testProfile } from './fakes/profile.ts';
import { createWorld } from './fakes/world.ts';

/** A gateway that asks for a secret, and takes one of them. */
function asking(what: 'password' | 'code', right: string) {
  const world = createWorld();
  const said: string[] = [];
  const deps: SessionDeps = {
    ...world.deps,
    createAnswerer: (_profile, secrets) => ({
      async answer() {
        try {
          const answer =
            what === 'code' ? await secrets.code('Token, please') : await secrets.password({ refused: false });
          if (answer === null) return { kind: 'failed', error: cancelledPrompt(what) };
          said.push(answer);
          if (answer === right) return { kind: 'eap', packet: new Uint8Array(0), state: 'success' };
          return { kind: 'failed', error: refusedCredentials(what) };
        } catch (error) {
          if (error instanceof EapError) return { kind: 'failed', error };
          throw error;
        }
      },
      close() {},
    }),
  };
  const createPeer = (): IkePeer => {
    let over = false;
    return {
      handle(event): IkeEffect[] {
        if (over) return [];
        if (event.kind === 'start')
          return [
            { kind: 'step', step: 'auth' },
            {
              kind: 'ask',
              id: 1,
              question: { kind: 'eap', packet: new Uint8Array(0), gatewayProven: true, round: 0 },
            },
          ];
        over = event.kind === 'close' || (event.kind === 'answer' && event.answer.kind === 'failed');
        if (event.kind === 'answer' && event.answer.kind === 'failed')
          return [{ kind: 'closed', reason: { by: 'error', error: event.answer.error } }];
        return event.kind === 'close' ? [{ kind: 'closed', reason: { by: 'us' } }] : [];
      },
    };
  };
  const session = createSession(testProfile(), deps, createPeer);
  return { world, said, session, prompt: () => ('prompt' in session.state ? session.state.prompt : undefined) };
}

const failure = (state: { readonly state: string }): string | undefined =>
  'error' in state && typeof state.error === 'object' && state.error !== null && 'code' in state.error
    ? String(state.error.code)
    : undefined;

describe('a question whose asker is gone', () => {
  const question = { kind: 'code', text: '', username: '', gateway: '', refused: false } as const;
  const desk = () => {
    const clock = fakeClock();
    const prompts = createPrompts({ clock, random: (length) => new Uint8Array(length).fill(1), changed: () => {} });
    return { clock, prompts };
  };
  const withdrawn = { error: { reason: 'prompt-withdrawn' } };
  const outcomeOf = (asking: Promise<string | null>) =>
    asking.then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );

  it('is withdrawn, and the next is shown', async () => {
    const { prompts } = desk();
    const gone = new AbortController();
    const first = outcomeOf(prompts.ask({ ...question, text: 'first' }, gone.signal));
    const second = outcomeOf(prompts.ask({ ...question, text: 'second' }));
    gone.abort();
    expect(await first).toMatchObject(withdrawn);
    expect(prompts.open?.text).toBe('second');
    expect(prompts.answer(prompts.open!.id, 'yes')).toBe(true);
    expect(await second).toEqual({ answer: 'yes' });
  });

  it('is withdrawn before it was shown, and the one that is shown keeps its time', async () => {
    const { clock, prompts } = desk();
    const gone = new AbortController();
    const first = outcomeOf(prompts.ask({ ...question, text: 'first' }));
    const second = outcomeOf(prompts.ask({ ...question, text: 'second' }, gone.signal));
    await clock.advance(PROMPT_TIME - 1);
    gone.abort();
    expect(await second).toMatchObject(withdrawn);
    expect(prompts.open?.text).toBe('first');
    await clock.advance(1);
    expect(await first).toMatchObject({ error: { reason: 'prompt-timed-out' } });
  });

  it('is not asked at all where it was gone before', async () => {
    const { prompts } = desk();
    expect(await outcomeOf(prompts.ask(question, AbortSignal.abort()))).toMatchObject(withdrawn);
    expect(prompts.open).toBeNull();
  });

  it('is answered once: what ends later withdraws nobody else’s', async () => {
    const { prompts } = desk();
    const gone = new AbortController();
    const first = outcomeOf(prompts.ask({ ...question, text: 'first' }, gone.signal));
    prompts.answer(prompts.open!.id, 'yes');
    void outcomeOf(prompts.ask({ ...question, text: 'second' }));
    gone.abort();
    expect(await first).toEqual({ answer: 'yes' });
    expect(prompts.open?.text).toBe('second');
  });
});

describe('a prompt', () => {
  it('is part of the state until it is answered, and time stands still', async () => {
    const { world, session, prompt, said } = asking('code', '123456');
    session.start();
    await world.clock.settle();
    const open = prompt();
    expect(open).toMatchObject({ kind: 'code', text: 'Token, please', gateway: 'vpn.example.com', refused: false });
    // Connecting may take 15 s.
    await world.clock.advance(60_000);
    expect(session.state).toMatchObject({ state: 'connecting', step: 'auth', prompt: open });
    expect(session.answerPrompt('another', '123456')).toBe(false);
    expect(session.answerPrompt(open!.id, '123456')).toBe(true);
    expect(session.answerPrompt(open!.id, '654321')).toBe(false);
    await world.clock.settle();
    expect(session.state.state).toBe('connecting');
    expect(prompt()).toBeUndefined();
    expect(said).toEqual(['123456']);
    // From here on it runs again.
    await world.clock.advance(14_000);
    expect(session.state.state).toBe('connecting');
    await world.clock.advance(4_000);
    expect(failure(session.state)).toBe('session/gateway-did-not-wait');
    expect(world.remains()).toEqual([]);
  });

  it.each([
    ['cancelled', 'eap/prompt-cancelled'],
    ['not answered', 'eap/prompt-timed-out'],
  ])('that is %s is a failure that says so, once', async (how, code) => {
    const { world, session, prompt, said } = asking('password', 'x');
    session.start();
    await world.clock.settle();
    if (how === 'cancelled') session.answerPrompt(prompt()!.id, null);
    else await world.clock.advance(PROMPT_TIME + 1);
    await world.clock.advance(5_000);
    expect(failure(session.state)).toBe(code);
    expect(said).toEqual([]);
    expect(prompt()).toBeUndefined();
  });

  it('goes with the session', async () => {
    const { world, session, prompt } = asking('password', 'x');
    session.start();
    await world.clock.settle();
    const { id } = prompt()!;
    await session.stop();
    expect(session.state).toEqual({ state: 'disconnected', lastError: null });
    expect(session.answerPrompt(id, 'x')).toBe(false);
    expect(world.clock.pending).toBe(0);
  });

  it.each(['password', 'code'] as const)('for a refused %s comes once more, and then it is over', async (what) => {
    const { world, session, prompt, said } = asking(what, 'right');
    const states: string[] = [];
    session.on(({ state }) => states.push(state));
    session.start();
    await world.clock.settle();
    expect(prompt()).toMatchObject({ refused: false });
    session.answerPrompt(prompt()!.id, 'wrong');
    await world.clock.advance(1);
    expect(prompt()).toMatchObject({ refused: true });
    session.answerPrompt(prompt()!.id, 'wrong too');
    await world.clock.advance(600_000);
    expect(failure(session.state)).toBe(what === 'password' ? 'eap/credentials-refused' : 'eap/code-refused');
    expect(said).toEqual(['wrong', 'wrong too']);
    // Whoever connects anew may try anew.
    session.start();
    await world.clock.settle();
    expect(prompt()).toMatchObject({ refused: false });
    await session.stop();
  });
});

const make = (password: string | null, wanted = true) => {
  const clock = fakeClock();
  const prompts = createPrompts({ clock, random: (length) => new Uint8Array(length), changed: () => {} });
  const credentials = createCredentials({ wanted, password, username: 'alice', gateway: 'gw' }, prompts);
  return { clock, prompts, credentials };
};

describe('credentials', () => {
  it('never says what was refused again', async () => {
    const { credentials } = make('from the profile');
    expect(await credentials.password({ refused: false })).toBe('from the profile');
    expect(credentials.refused('password')).toBe(false);
    await expect(credentials.ready()).rejects.toMatchObject({ reason: 'credentials-refused' });
    await expect(credentials.password({ refused: false })).rejects.toMatchObject({ reason: 'credentials-refused' });
    expect(await credentials.password({ refused: true })).toBeNull();
    credentials.forget();
    expect(await credentials.password({ refused: false })).toBe('from the profile');
  });

  it('asks before the gateway waits, and remembers', async () => {
    const { credentials, prompts } = make(null);
    const ready = credentials.ready();
    expect(prompts.open).toMatchObject({ kind: 'password', username: 'alice', gateway: 'gw' });
    prompts.answer(prompts.open!.id, 'typed');
    await ready;
    credentials.accepted();
    expect(await credentials.password({ refused: false })).toBe('typed');
    await credentials.ready();
    expect(prompts.open).toBeNull();
  });

  it('does not doubt the password where a code was refused', async () => {
    const { credentials, prompts } = make('from the profile', false);
    expect(await credentials.password({ refused: false })).toBe('from the profile');
    expect(credentials.refused('code')).toBe(true);
    expect(await credentials.password({ refused: false })).toBe('from the profile');
    const code = credentials.code('');
    expect(prompts.open).toMatchObject({ kind: 'code', refused: true });
    prompts.answer(prompts.open!.id, '1');
    await code;
    expect(credentials.refused('code')).toBe(false);
    await expect(credentials.code('')).rejects.toMatchObject({ reason: 'code-refused' });
    // Once it was right, mistakes may be made anew.
    credentials.accepted();
    expect(credentials.refused('code')).toBe(true);
  });

  it('knows of a gateway that may have tired of waiting', async () => {
    const { clock, credentials, prompts } = make(null);
    const silence = { error: { code: 'ike/no-response', message: '', remedy: '' }, permanent: false };
    const ready = credentials.ready();
    await clock.advance(60_000);
    prompts.answer(prompts.open!.id, 'typed');
    await ready;
    // Nobody waited for that.
    expect(credentials.explain(silence)).toBe(silence);
    const code = credentials.code('');
    await clock.advance(9_000);
    expect(credentials.explain(silence)).toBe(silence);
    await clock.advance(31_000);
    prompts.answer(prompts.open!.id, '1');
    await code;
    expect(credentials.explain(silence).error).toMatchObject({
      code: 'session/gateway-did-not-wait',
      message: expect.stringContaining('40 s'),
    });
    const other = { error: { code: 'ike/protocol', message: '', remedy: '' }, permanent: false };
    expect(credentials.explain(other)).toBe(other);
  });

  it('asks nobody where the profile has the password or none is wanted', async () => {
    for (const { credentials, prompts } of [make('known'), make(null, false)]) {
      await credentials.ready();
      expect(prompts.open).toBeNull();
    }
  });

  it('asks nobody again who did not want to, until told so', async () => {
    const { credentials, prompts } = make(null);
    const first = credentials.ready();
    prompts.answer(prompts.open!.id, null);
    await expect(first).rejects.toMatchObject({ reason: 'prompt-cancelled' });
    await expect(credentials.ready()).rejects.toMatchObject({ reason: 'prompt-cancelled' });
    await expect(credentials.code('?')).rejects.toMatchObject({ reason: 'prompt-cancelled' });
    credentials.willing();
    const again = credentials.ready();
    prompts.answer(prompts.open!.id, 'typed');
    await again;
  });
});

describe('a question that is withdrawn', () => {
  it('is asked again by the next connection, where the one that asked died meanwhile', async () => {
    const world = createWorld();
    Object.assign(world.deps, {
      createAnswerer: (_profile, secrets) => ({
        async answer() {
          const answer = await secrets.code('Token, please');
          return answer === null
            ? { kind: 'failed', error: cancelledPrompt('code') }
            : { kind: 'eap', packet: new Uint8Array(0), state: 'success' };
        },
        close() {},
      }),
    } satisfies Pick<SessionDeps, 'createAnswerer'>);
    const session = world.session(testProfile());
    const prompt = () => ('prompt' in session.state ? session.state.prompt : undefined);
    const askNow = async (): Promise<void> => {
      const question = { kind: 'eap', packet: new Uint8Array(0), gatewayProven: true, round: 0 } as const;
      world.peer().inject({ kind: 'ask', id: 1, question });
      world.say('anything', 'ike');
      await world.clock.settle();
    };
    const dieAndTryAgain = async (): Promise<void> => {
      world.plane().emit({ kind: 'died', worker: 'sender', message: 'exit code 1' });
      for (let i = 0; i < 100 && session.state.state !== 'reconnecting'; i++) await world.clock.advance(10);
      for (let i = 0; i < 100 && session.state.state !== 'connecting'; i++) await world.clock.advance(100);
      await world.clock.settle();
    };
    session.start();
    await world.clock.settle();
    world.options = { answers: () => false };
    for (let attempt = 2; attempt < 5; attempt++) {
      await dieAndTryAgain();
      expect(session.state).toMatchObject({ state: 'connecting', attempt });
      expect(prompt()).toBeUndefined();
      await askNow();
      expect(prompt()).toMatchObject({ kind: 'code', refused: false });
    }
    await session.stop();
    expect(world.remains()).toEqual([]);
  });

  it('does not count as a refusal to answer', async () => {
    const { credentials, prompts } = make(null);
    const first = credentials.code('?');
    prompts.withdraw();
    await expect(first).rejects.toMatchObject({ reason: 'prompt-withdrawn' });
    const again = credentials.code('?');
    prompts.answer(prompts.open!.id, '1');
    expect(await again).toBe('1');
  });

  it('while one that was cancelled keeps us from speaking to the gateway', async () => {
    const { credentials, prompts } = make('from the profile');
    const first = credentials.code('?');
    prompts.answer(prompts.open!.id, null);
    expect(await first).toBeNull();
    await expect(credentials.ready()).rejects.toMatchObject({ reason: 'prompt-cancelled' });
    credentials.willing();
    await credentials.ready();
  });
});

describe('prompts', () => {
  it('are asked one after another', async () => {
    const clock = fakeClock();
    const shown: (Prompt | null)[] = [];
    let serial = 0;
    const prompts = createPrompts({
      clock,
      random: (length) => new Uint8Array(length).fill(++serial),
      changed: () => shown.push(prompts.open),
    });
    const question = { kind: 'code', text: '', username: 'a', gateway: 'g', refused: false } as const;
    const one = prompts.ask(question);
    const two = prompts.ask({ ...question, text: 'second' });
    const { id } = prompts.open!;
    expect(prompts.answer(id, '1')).toBe(true);
    expect(await one).toBe('1');
    expect(prompts.open).toMatchObject({ text: 'second' });
    prompts.withdraw();
    await expect(two).rejects.toMatchObject({ reason: 'prompt-withdrawn' });
    expect(shown.at(-1)).toBeNull();
    expect(clock.pending).toBe(0);
  });
});

describe('patience', () => {
  it('counts no time while it stands still', async () => {
    const clock = fakeClock();
    const patience = createPatience(clock);
    const called: string[] = [];
    patience.after(1000, () => called.push('one'));
    const cancelled = patience.after(1000, () => called.push('never'));
    await clock.advance(900);
    patience.pause();
    patience.pause();
    cancelled.cancel();
    const start = patience.now();
    patience.after(50, () => called.push('set while paused'));
    await clock.advance(10_000);
    expect(patience.now()).toBe(start);
    expect(called).toEqual([]);
    patience.resume();
    await clock.advance(99);
    expect(called).toEqual(['set while paused']);
    await clock.advance(1);
    expect(called).toEqual(['set while paused', 'one']);
  });
});
