// What the shell shows of the engine is in the person's language, and nothing else of a state changes.
import { expect, it } from 'vitest';
import { spokenError, spokenLanguage, spokenState } from '../../main/electron/spoken.ts';
import { FAKE_ERROR, fakeStates } from '../../main/ipc/fake.ts';
import { createSpeaker } from '../../main/words/say.ts';

const german = createSpeaker('de');
const states = fakeStates(0);

it('tells errors in the person’s language, with code and data as they were', () => {
  expect(spokenError(FAKE_ERROR, german)).toMatchObject({
    code: FAKE_ERROR.code,
    data: FAKE_ERROR.data,
    message: 'Das Gateway antwortet nicht.',
    remedy: expect.stringContaining('Versuchen Sie ein anderes Netz'),
  });
  expect(spokenError(FAKE_ERROR, createSpeaker('en'))).toEqual(FAKE_ERROR);
});

it('reaches the error of every state that has one', () => {
  const said = (state: Parameters<typeof spokenState>[0]): string => JSON.stringify(spokenState(state, german));
  const ended = { state: 'disconnected', lastError: FAKE_ERROR } as const;
  for (const state of [states.reconnecting, states.failed, ended]) {
    expect(said(state)).toContain('Das Gateway antwortet nicht.');
    expect(said(state)).not.toContain('No answer');
  }
  for (const state of [states.disconnected, states.connecting, states.connected, states.disconnecting])
    expect(spokenState(state, german)).toEqual(state);
});

it.each([
  ['de', 'en-GB', 'de'],
  ['zh-Hans', 'de', 'zh'],
  ['system', 'fr-CA', 'fr'],
  ['system', 'pt-BR', 'en'],
] as const)('%s under %s is %s', (language, locale, spoken) => {
  expect(spokenLanguage(language, locale)).toBe(spoken);
});
