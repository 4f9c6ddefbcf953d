// What the tray shows in every state there is, of the supervisor and of the engine: one snapshot each.
import { expect, test } from 'vitest';
import type { SupervisorState } from '../../main/electron/supervisor.ts';
import { type TrayInput, trayView } from '../../main/electron/tray.ts';
import { wordsFor } from '../../main/electron/words.ts';
import type { EngineState } from '../../main/ipc/contract.ts';
import { FAKE_ERROR, fakeStates } from '../../main/ipc/fake.ts';

const NOW = 1_700_000_000_000;
const states = fakeStates(NOW);
const prompt = {
  id: 'p',
  kind: 'code',
  text: '',
  username: 'alice',
  gateway: 'vpn.example.com',
  refused: false,
} as const;
const input = (more: Partial<TrayInput>): TrayInput => ({
  supervisor: { state: 'attached' },
  engine: null,
  blocked: [],
  profiles: ['office', 'lab'],
  errors: [],
  words: wordsFor('en', 'en'),
  ...more,
});
const because = {
  code: 'ipc/no-permission',
  message: 'This user may not speak to the engine.',
  remedy: 'Join the group.',
};

const ENGINE: Readonly<Record<string, EngineState>> = {
  ...states,
  'connecting, waits for a code': { state: 'connecting', profile: 'office', step: 'auth', attempt: 1, prompt },
  'connected, asked anew': { ...(states.connected as EngineState & { state: 'connected' }), prompt },
  'reconnecting, held': {
    state: 'reconnecting',
    profile: 'office',
    because: FAKE_ERROR,
    attempt: 3,
    retryAt: NOW,
    held: true,
  },
};
test.each(Object.keys(ENGINE))('%s', (name) => {
  expect(trayView(input({ engine: ENGINE[name]! }))).toMatchSnapshot();
});

const SUPERVISOR: Readonly<Record<string, SupervisorState>> = {
  attaching: { state: 'attaching' },
  starting: { state: 'starting' },
  'attached, nothing heard yet': { state: 'attached' },
  waiting: { state: 'waiting', because, attempt: 2, retryAt: NOW },
  refused: { state: 'refused', because },
};
test.each(Object.keys(SUPERVISOR))('no engine: %s', (name) => {
  expect(trayView(input({ supervisor: SUPERVISOR[name]! }))).toMatchSnapshot();
  // Whatever was heard before: it is not known to hold now.
  if (name.startsWith('attached')) return;
  const stale = trayView(input({ supervisor: SUPERVISOR[name]!, engine: states.connected }));
  expect(stale).toEqual(trayView(input({ supervisor: SUPERVISOR[name]! })));
});

test('no profiles', () => {
  expect(trayView(input({ engine: states.disconnected, profiles: [] }))).toMatchSnapshot();
});

test.each(['en', 'de', 'fr', 'zh'])('the kill switch is said in a tooltip that Windows cuts, in %s', (language) => {
  const words = wordsFor('system', language);
  const said = words.blocked.replace('{0}', '');
  const long = { ...FAKE_ERROR, message: `${'The gateway does not answer. '.repeat(20)}😀` };
  for (const held of [false, true]) {
    const engine: EngineState = {
      state: 'reconnecting',
      profile: 'office',
      because: long,
      attempt: 1,
      retryAt: NOW,
      held,
    };
    const { tooltip, items } = trayView(input({ words, engine, blocked: ['10.0.0.0/8'] }));
    expect(tooltip.length).toBeLessThanOrEqual(127);
    expect(tooltip).toContain(said);
    expect(tooltip).toContain('office');
    const first = items[0]!;
    expect('label' in first && first.label).toContain(said);
  }
  // Never half a character.
  for (let i = 0; i < 20; i++) {
    const message = `${'x'.repeat(60 + i)}😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀`;
    const engine: EngineState = { state: 'failed', profile: 'office', error: { ...FAKE_ERROR, message } };
    const { tooltip } = trayView(input({ words, engine, blocked: ['::/0'] }));
    expect(tooltip).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
    expect(tooltip.length).toBeLessThanOrEqual(127);
  }
});

test('errors of before lead to the window; the one under way is said once, on one line', () => {
  const error = { ...FAKE_ERROR, message: `First line\nsecond ${'x'.repeat(300)}` };
  const { items } = trayView(
    input({ engine: { state: 'failed', profile: 'office', error }, errors: [error.message, 'An older one.'] }),
  );
  const labels = items.flatMap((item) => ('label' in item ? [item.label] : []));
  expect(labels[0]).toMatch(/^Could not connect to office: First line second x+…$/);
  expect(labels[0]!.length).toBeLessThanOrEqual(160);
  expect(labels.filter((each) => each.startsWith('Last error'))).toEqual(['Last error: An older one.']);
  expect(items).toContainEqual({ label: 'Last error: An older one.', action: { do: 'open' } });
});
