// @vitest-environment happy-dom
// The settings page: theme and language change the interface at once; what the shell alone can do is closed in a browser,
// with the reason, and open in the desktop app.
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';
import type { Events } from '../../../../main/ipc/contract.ts';
import type { Bridge } from '../../../../renderer/transport/bridge.ts';
import { settle } from '../../clock.ts';
import { drawApp } from '../../draw.tsx';
import { type Setting, setUp } from '../../engine.ts';

const page = (): HTMLElement => screen.getByRole('main');
const card = (name: string): HTMLElement => within(page()).getByRole('region', { name });
const settled = (): Promise<void> => act(settle);
const ONLY = 'Only the desktop app can do this';

afterEach(() => {
  Reflect.deleteProperty(window, 'culvert');
});

async function draw(shell: boolean): Promise<Setting> {
  // The page only asks whether it is there: the engine of these tests is reached otherwise.
  const bridge: Bridge = {
    open: () => {
      throw new Error('not used');
    },
  };
  if (shell) Object.defineProperty(window, 'culvert', { value: bridge, configurable: true });
  const setting = await setUp();
  drawApp(setting.engine, 'settings');
  await settled();
  return setting;
}

const set = ({ fake }: Setting): readonly unknown[] =>
  fake.calls.filter(({ name }) => name === 'setSettings').map(({ params }) => params);

describe('the settings page', () => {
  it('changes theme and language at once', async () => {
    const user = userEvent.setup();
    const setting = await draw(false);
    await user.click(within(page()).getByRole('radio', { name: 'Dark' }));
    await settled();
    expect(document.documentElement.dataset.theme).toBe('dark');
    await user.click(within(page()).getByRole('button', { name: /Language/ }));
    await user.click(screen.getByRole('option', { name: 'Deutsch' }));
    await settled();
    expect(set(setting)).toEqual([{ theme: 'dark' }, { language: 'de' }]);
    expect(within(page()).getByRole('heading', { level: 1 }).textContent).toBe('Einstellungen');
    expect(document.documentElement.lang).toBe('de');
  });

  it('shows in a browser what the shell alone can do, closed, with the reason', async () => {
    await draw(false);
    expect(page().textContent?.split(ONLY)).toHaveLength(2);
    for (const name of ['Start', 'Automatic connection'])
      for (const role of ['switch', 'button'] as const)
        for (const control of within(card(name)).getAllByRole(role))
          expect([control.textContent, control.hasAttribute('disabled')]).toEqual([control.textContent, true]);
    expect(card('About').textContent).toContain('Browser');
  });

  it('sets start and connection at start in the desktop app', async () => {
    const user = userEvent.setup();
    const setting = await draw(true);
    expect(page().textContent).not.toContain(ONLY);
    await user.click(within(page()).getByRole('switch', { name: /Start Culvert when I log in/ }));
    await settled();
    await user.click(within(page()).getByRole('button', { name: /Connect at start/ }));
    await user.click(screen.getByRole('option', { name: 'lab' }));
    await settled();
    expect(set(setting)).toEqual([{ startAtLogin: true }, { connectAtStart: 'lab' }]);
  });

  it('keeps the list of trusted networks', async () => {
    const user = userEvent.setup();
    const setting = await draw(true);
    const auto = card('Automatic connection');
    expect(auto.textContent).toContain('None: every network counts as untrusted.');
    await user.click(within(auto).getByRole('switch'));
    await settled();
    expect(auto.textContent).toContain('Choose a profile: without one nothing is connected.');
    const field = within(auto).getByRole('textbox');
    await user.type(field, '  Home {Enter}');
    await settled();
    expect((field as HTMLInputElement).value).toBe('');
    await user.type(field, 'Home');
    expect(auto.textContent).toContain('This network is listed already.');
    await user.click(within(auto).getByRole('button', { name: 'Remove Home' }));
    await settled();
    const base = { enabled: true, profile: null };
    expect(set(setting)).toEqual([
      { autoConnect: { ...base, trusted: [] } },
      { autoConnect: { ...base, trusted: [{ kind: 'wifi', name: 'Home' }] } },
      { autoConnect: { ...base, trusted: [] } },
    ]);
  });

  it('makes two changes within one round trip, neither of which undoes the other', async () => {
    const user = userEvent.setup();
    const setting = await draw(true);
    const auto = card('Automatic connection');
    await user.type(within(auto).getByRole('textbox'), 'Home');
    // Both before any answer has come.
    within(auto).getByRole('button', { name: 'Trust this network' }).click();
    within(auto).getByRole('button', { name: 'Add' }).click();
    within(auto).getByRole('switch').click();
    await settled();
    expect(set(setting).at(-1)).toEqual({
      autoConnect: {
        enabled: true,
        profile: null,
        trusted: [
          { kind: 'wifi', name: 'Office' },
          { kind: 'wifi', name: 'Home' },
        ],
      },
    });
  });

  it('trusts the network that this is, and says what counts', async () => {
    const user = userEvent.setup();
    const setting = await draw(true);
    const auto = card('Automatic connection');
    const join = (network: Events['network']): Promise<void> =>
      act(async () => {
        setting.fake.publish('network', network);
        await settle();
      });
    expect(auto.textContent).toContain('OfficeNot trusted');
    expect(auto.textContent).toContain('Every network that cannot be told from others counts as untrusted.');
    await user.click(within(auto).getByRole('button', { name: 'Trust this network' }));
    await settled();
    expect(auto.textContent).toContain('OfficeTrusted');
    expect(within(auto).queryByRole('button', { name: 'Trust this network' })).toBeNull();
    // The same name, but anybody may have opened it.
    await join({ kind: 'wifi', name: 'Office', secured: false });
    expect(auto.textContent).toContain('OfficeNot trusted');
    expect(auto.textContent).toContain('anybody could open one of the same name');
    expect(within(auto).queryByRole('button', { name: 'Trust this network' })).toBeNull();
    await join({ kind: 'wired', gateway: '3c:a6:2f:10:0b:0c' });
    await user.click(within(auto).getByRole('button', { name: 'Trust this network' }));
    await settled();
    expect(within(auto).getByRole('button', { name: 'Remove Cable, router 3c:a6:2f:10:0b:0c' })).not.toBeNull();
    expect(set(setting).at(-1)).toEqual({
      autoConnect: {
        enabled: false,
        profile: null,
        trusted: [
          { kind: 'wifi', name: 'Office' },
          { kind: 'wired', gateway: '3c:a6:2f:10:0b:0c' },
        ],
      },
    });
    for (const [because, words] of [
      ['name-hidden', 'macOS 14 and Windows 11'],
      ['no-identity', 'no hardware address of its own'],
      ['other-kind', 'Mobile broadband'],
      ['not-readable', 'Nothing on this computer says'],
    ] as const) {
      await join({ kind: 'unknown', because });
      expect(auto.textContent).toContain('Unknown networkNot trusted');
      expect(auto.textContent).toContain(words);
      expect(within(auto).queryByRole('button', { name: 'Trust this network' })).toBeNull();
    }
    await join({ kind: 'offline' });
    expect(auto.textContent).toContain('No network');
  });

  it('names a profile that is set but gone', async () => {
    const setting = await draw(true);
    await act(async () => {
      await setting.engine.call('setSettings', { connectAtStart: 'old' });
      await settle();
    });
    expect(within(page()).getByRole('button', { name: /Connect at start/ }).textContent).toContain('old (removed)');
  });

  it('says why a setting could not be stored', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(false);
    fake.fail('setSettings', { code: 'daemon/settings', message: 'It cannot be stored.', remedy: 'Free some space.' });
    await user.click(within(page()).getByRole('radio', { name: 'Dark' }));
    await settled();
    expect(page().textContent).toContain('It cannot be stored.');
  });
});
