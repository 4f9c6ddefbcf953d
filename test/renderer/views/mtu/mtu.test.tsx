// @vitest-environment happy-dom
// The MTU page: the numbers are the engine's, a fixed value takes effect, the path test runs, is cancelled and is taken over.
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import type { PathTestResult } from '../../../../main/ipc/contract.ts';
import { FAKE_PROFILES, fakeStates } from '../../../../main/ipc/fake.ts';
import { tell } from '../../../../main/words/told.ts';
import { settle } from '../../clock.ts';
import { drawApp } from '../../draw.tsx';
import { type Setting, setUp } from '../../engine.ts';

const page = (): HTMLElement => screen.getByRole('main');
const words = (): string => page().textContent ?? '';
const button = (name: string | RegExp): HTMLElement => within(page()).getByRole('button', { name });
const settled = (): Promise<void> => act(settle);

async function draw(connected: boolean, options: Parameters<typeof setUp>[0] = {}): Promise<Setting> {
  const setting = await setUp(options);
  if (connected) setting.fake.setState(fakeStates(Date.now()).connected);
  await settle();
  drawApp(setting.engine, 'mtu');
  await settled();
  return setting;
}

const MEASURED: PathTestResult = {
  profile: 'office',
  path: 1420,
  mtu: 1334,
  assumed: 1500,
  probes: [],
  roundTrip: 9,
  finished: 1,
  verdict: tell('path.smaller', { path: 1420, assumed: 1500 }),
};

describe('the MTU page', () => {
  it('lists every part with its bytes, and their sum', async () => {
    await draw(true);
    const table = within(page()).getByRole('table', { name: 'Parts of a full packet' });
    const rows = within(table)
      .getAllByRole('row')
      .map((row) => [row.querySelector('th')?.textContent, row.querySelector('td')?.textContent]);
    expect(rows).toContainEqual(['Outer IP header', '20']);
    expect(rows).toContainEqual(['GRE header', '4']);
    expect(rows).toContainEqual(['Your packet', '1414']);
    expect(rows.at(-1)).toEqual(['Path MTU', '1500']);
    expect(words()).toContain('1374 over IPv4, 1354 over IPv6');
  });

  it('sets a fixed value, with its consequences said before', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(true);
    await user.click(within(page()).getByRole('radio', { name: /Fixed value/ }));
    const field = within(page()).getByRole('textbox', { name: 'MTU in bytes' });
    await user.clear(field);
    await user.type(field, '1200');
    expect(words()).toContain('Below 1280 there is no IPv6 inside the tunnel.');
    await user.click(button('Apply'));
    await settled();
    expect(fake.calls).toContainEqual({
      name: 'setMtu',
      params: { profile: 'office', choice: { mode: 'fixed', value: 1200 } },
    });
    expect(words()).toContain('IPv6 is off inside the tunnel');
    expect(words()).toContain('1160 over IPv4; no IPv6 inside');
    expect(button('Apply').hasAttribute('disabled')).toBe(true);
  });

  it('does not apply what is out of bounds', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(true);
    await user.click(within(page()).getByRole('radio', { name: /Fixed value/ }));
    const field = within(page()).getByRole('textbox', { name: 'MTU in bytes' });
    await user.clear(field);
    await user.type(field, '500{Enter}');
    expect(words()).toContain('The MTU must be from 576 to 8192.');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(fake.calls.some(({ name }) => name === 'setMtu')).toBe(false);
  });

  it('runs the path test with progress, and shows the result in words', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(true);
    await user.click(button('Test the path'));
    await act(async () => {
      fake.advance(300);
      await settle();
    });
    const bar = within(page()).getByRole('progressbar', { name: 'Testing the path' });
    expect(Number(bar.getAttribute('aria-valuenow'))).toBeCloseTo(0.3);
    expect(words()).toContain('1280 bytes arrive, 1501 do not.');
    await act(async () => {
      fake.advance(1000);
      await settle();
    });
    expect(words()).toContain('Packets of 1500 bytes arrive, as the tunnel assumes.');
    expect(button('Test again')).toBeTruthy();
  });

  it('cancels the test', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(true);
    await user.click(button('Test the path'));
    await settled();
    await user.click(button('Cancel the test'));
    await settled();
    expect(fake.calls.some(({ name }) => name === 'cancelPathTest')).toBe(true);
    expect(words()).toContain('The test was ended. Nothing has changed.');
    expect(within(page()).queryByRole('progressbar')).toBeNull();
  });

  it('takes a smaller measured path over', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(true);
    await act(async () => {
      fake.publish('pathTest', {
        state: 'idle',
        last: MEASURED,
      });
      await settle();
    });
    expect(words()).toContain('Only packets of up to 1420 bytes arrive');
    await user.click(button('Use 1420'));
    await settled();
    expect(fake.calls).toContainEqual({
      name: 'setMtu',
      params: { profile: 'office', choice: { mode: 'automatic', path: 1420 } },
    });
    expect(within(page()).queryByRole('button', { name: 'Use 1420' })).toBeNull();
    expect(words()).toContain('1334');
  });

  it('shows a result with the profile that it belongs to, and no other', async () => {
    const { fake } = await draw(true);
    await act(async () => {
      fake.publish('pathTest', { state: 'idle', last: { ...MEASURED, profile: 'lab' } });
      await settle();
    });
    expect(words()).not.toContain('Only packets of up to');
    expect(button('Test the path')).toBeTruthy();
    await act(async () => {
      fake.publish('pathTest', {
        state: 'running',
        profile: 'lab',
        progress: 0.5,
        probing: 1400,
        works: 1280,
        fails: null,
      });
      await settle();
    });
    expect(within(page()).queryByRole('progressbar')).toBeNull();
  });

  it('needs a tunnel for the test, and says so', async () => {
    await draw(false);
    expect(button('Test the path').hasAttribute('disabled')).toBe(true);
    expect(words()).toContain('connect first');
  });

  it('keeps a locked value closed, and says by whom', async () => {
    const [office] = FAKE_PROFILES;
    if (!office) throw new Error('no profile');
    const profiles = [{ ...office, locked: [{ pointer: '/mtu', by: 'Example Ltd, IT' }] }];
    await draw(false, { profiles });
    expect(words()).toContain('Locked by Example Ltd, IT');
    for (const radio of within(page()).getAllByRole('radio')) expect((radio as HTMLInputElement).disabled).toBe(true);
  });

  it('says why a refused change was refused', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(true);
    fake.fail('setMtu', { code: 'daemon/storage', message: 'It cannot be stored.', remedy: 'Free some space.' });
    await user.click(within(page()).getByRole('radio', { name: /Fixed value/ }));
    const field = within(page()).getByRole('textbox', { name: 'MTU in bytes' });
    await user.clear(field);
    await user.type(field, '1300{Enter}');
    await settled();
    expect(words()).toContain('It cannot be stored.');
    expect(words()).toContain('Free some space.');
  });
});
