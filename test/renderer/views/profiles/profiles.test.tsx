// @vitest-environment happy-dom
// Importing by file, drop, address and text shows what the engine finds before anything is stored; renaming, removing,
// locks.
import { act, fireEvent, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { fakeStates } from '../../../../main/ipc/fake.ts';
import { settle } from '../../clock.ts';
import { drawApp } from '../../draw.tsx';
import { type Setting, setUp } from '../../engine.ts';

const MISTAKES = {
  code: 'profile/unknown-key',
  message: 'The profile has a mistake:\n  /gatway: is not a key of a profile. Did you mean /gateway?',
  remedy: 'Correct the file, then import it again.',
  data: { pointer: '/gatway', suggestion: '/gateway' },
};

async function draw(): Promise<Setting> {
  const setting = await setUp();
  await setting.engine.call('setSettings', { language: 'en' });
  await settle();
  drawApp(setting.engine, 'profiles');
  return setting;
}

const names = (): readonly (string | null)[] =>
  [...screen.getByRole('main').querySelectorAll('h2')].map(({ textContent }) => textContent);
const called = ({ fake }: Setting): readonly string[] =>
  fake.calls.map(({ name }) => name).filter((name) => !['hello', 'subscribe', 'setSettings'].includes(name));
const file = (text: string, name = 'team.culvert'): File => new File([text], name, { type: 'application/json' });
const drop = async (dropped: File): Promise<void> => {
  const dataTransfer = { types: ['Files'], files: [dropped] };
  await act(async () => {
    fireEvent.dragEnter(window, { dataTransfer });
    fireEvent.drop(window, { dataTransfer });
    // A file is read outside of promises' queue.
    await new Promise((resolve) => setTimeout(resolve));
    await settle();
  });
};

describe('profiles', () => {
  it('are listed with their locks', async () => {
    await draw();
    expect(names()).toEqual(['office', 'lab']);
    const office = screen.getByRole('region', { name: 'office' });
    expect(office.textContent).toContain('Locked in part');
    expect(office.textContent).toContain('Not through the tunnel, locked by Example Ltd, IT');
    expect(office.textContent).toContain('alice@example.com');
    expect(screen.getByRole('region', { name: 'lab' }).textContent).toContain('Changed by you');
  });

  it('come by a file dropped on the window, shown before they are stored', async () => {
    const setting = await draw();
    await drop(file('{"name":"team"}'));
    const dialog = screen.getByRole('dialog', { name: 'Import a profile' });
    expect(within(dialog).getByText('This is a profile. It is not stored yet.')).toBeTruthy();
    expect(within(dialog).getByRole('heading', { name: 'team' })).toBeTruthy();
    expect(called(setting)).toEqual(['preview']);
    expect(names()).toEqual(['office', 'lab']);
    await userEvent.click(within(dialog).getByRole('button', { name: 'Store' }));
    await act(settle);
    expect(setting.fake.calls.at(-1)).toEqual({ name: 'import', params: { text: '{"name":"team"}', replace: false } });
    expect(names()).toEqual(['office', 'lab', 'team']);
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(screen.getByText('team was imported.', { selector: '.toast *' })).toBeTruthy();
  });

  it('replace one of the same name only after saying so', async () => {
    const setting = await draw();
    await drop(file('{"name":"lab"}'));
    const dialog = screen.getByRole('dialog');
    expect(dialog.textContent).toContain('A profile named lab is stored already.');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Replace' }));
    await act(settle);
    expect(setting.fake.calls.at(-1)).toMatchObject({ name: 'import', params: { replace: true } });
  });

  it('with mistakes are shown with place and suggestion, and not stored', async () => {
    const setting = await draw();
    setting.fake.fail('preview', MISTAKES);
    await drop(file('{"gatway":"x"}'));
    const alert = within(screen.getByRole('dialog')).getByRole('alert');
    expect(within(alert).getByRole('listitem').textContent).toBe(
      '/gatway: is not a key of a profile. Did you mean /gateway?',
    );
    expect(alert.textContent).toContain('Correct the file, then import it again.');
    expect(screen.queryByRole('button', { name: 'Store' })).toBeNull();
    expect(called(setting)).toEqual(['preview']);
  });

  it('are not read where the file is far too large', async () => {
    const setting = await draw();
    await drop(file('x'.repeat(300_000), 'film.mp4'));
    expect(screen.getByRole('dialog').textContent).toContain('film.mp4 is 300 kB; a profile has at most 262 kB.');
    expect(called(setting)).toEqual([]);
  });

  it('come by text and by address, by keyboard', async () => {
    const setting = await draw();
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Import a profile' }));
    screen.getByRole('tab', { name: 'File' }).focus();
    await user.keyboard('{ArrowRight}');
    await user.type(screen.getByLabelText('Address of the profile'), 'http://example.com/p{Enter}');
    expect(screen.getByRole('dialog').textContent).toContain('This is not an address that begins with https://.');
    expect(called(setting)).toEqual([]);
    await user.clear(screen.getByLabelText('Address of the profile'));
    await user.type(screen.getByLabelText('Address of the profile'), 'https://example.com/p{Enter}');
    await act(settle);
    expect(setting.fake.calls.at(-1)).toEqual({ name: 'previewUrl', params: { url: 'https://example.com/p' } });
    const another = screen.queryByRole('button', { name: 'Choose another' });
    if (another) await user.click(another);
    await user.click(screen.getByRole('tab', { name: 'Text' }));
    await user.click(screen.getByLabelText('Content of the profile'));
    await user.paste('{"name":"typed"}');
    await user.click(screen.getByRole('button', { name: 'Check' }));
    await act(settle);
    expect(screen.getByRole('heading', { name: 'typed' })).toBeTruthy();
  });

  it('are renamed, not to a name that is taken', async () => {
    const setting = await draw();
    const user = userEvent.setup();
    await user.click(screen.getByRole('button', { name: 'Rename lab' }));
    const field = screen.getByLabelText('New name');
    await user.clear(field);
    await user.type(field, 'office{Enter}');
    expect(screen.getByRole('dialog').textContent).toContain('There is a profile of this name already.');
    expect(called(setting)).toEqual([]);
    await user.clear(field);
    await user.type(field, 'bench{Enter}');
    await act(settle);
    expect(setting.fake.calls.at(-1)).toEqual({ name: 'rename', params: { profile: 'lab', name: 'bench' } });
    expect(names()).toEqual(['office', 'bench']);
  });

  it('are removed only after a question that comes to “no” first', async () => {
    const setting = await draw();
    const user = userEvent.setup();
    screen.getByRole('button', { name: 'Remove lab' }).focus();
    await user.keyboard('{Enter}');
    expect(screen.getByRole('alertdialog', { name: 'Remove the profile lab?' })).toBeTruthy();
    await user.keyboard('{Enter}');
    await user.tab();
    expect(document.activeElement?.textContent).toBe('Cancel');
    await user.keyboard('{Enter}');
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(called(setting)).toEqual([]);
    await user.click(screen.getByRole('button', { name: 'Remove lab' }));
    await user.click(within(screen.getByRole('alertdialog')).getByRole('button', { name: 'Remove' }));
    await act(settle);
    expect(names()).toEqual(['office']);
  });

  it('that are in use are not removed, and what is refused says why', async () => {
    const setting = await draw();
    const user = userEvent.setup();
    setting.fake.fail('remove', { code: 'ipc/not-allowed', message: 'IT has locked it.', remedy: 'Ask them.' });
    await user.click(screen.getByRole('button', { name: 'Remove office' }));
    await user.click(within(screen.getByRole('alertdialog')).getByRole('button', { name: 'Remove' }));
    await act(settle);
    expect(screen.getByRole('alertdialog').textContent).toContain('IT has locked it.');
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    await act(async () => {
      setting.fake.setState(fakeStates(Date.now()).connected);
      await settle();
    });
    await user.click(screen.getByRole('button', { name: 'Remove office' }));
    expect(screen.getByRole('dialog').textContent).toContain('It is connected now. Disconnect first.');
  });
});
