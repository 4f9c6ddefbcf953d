// @vitest-environment happy-dom
// The diagnostics page: checks with cause and remedy, drops with their meaning, the log as it comes, the report.
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import { FAKE_ERROR, fakeStates } from '../../../../main/ipc/fake.ts';
import { createTranslate } from '../../../../renderer/i18n/translate.ts';
import { summary } from '../../../../renderer/views/diagnostics/diagnostics.tsx';
import { nameOf } from '../../../../renderer/views/diagnostics/report.tsx';
import { settle } from '../../clock.ts';
import { drawApp } from '../../draw.tsx';
import { type Setting, setUp } from '../../engine.ts';

const page = (): HTMLElement => screen.getByRole('main');
const card = (name: string): HTMLElement => within(page()).getByRole('region', { name });
const settled = (): Promise<void> => act(settle);
const lines = (): readonly (string | null)[] =>
  within(card('Entries of the log'))
    .getAllByRole('listitem')
    .map((line) => line.lastElementChild?.textContent ?? null);

async function draw(prepare: (setting: Setting) => void = () => {}, language: 'en' | 'de' = 'en'): Promise<Setting> {
  const setting = await setUp();
  await setting.engine.call('setSettings', { language });
  prepare(setting);
  await settle();
  drawApp(setting.engine, 'diagnostics', language);
  await settled();
  return setting;
}

const logged = ({ fake }: Setting): void => {
  fake.log({ level: 'debug', area: 'path', text: 'a detail' });
  fake.log({ level: 'info', area: 'ike', text: 'IKE_SA_INIT sent' });
  fake.log({ level: 'warn', area: 'net', text: 'a route was there already' });
};

describe('the diagnostics page', () => {
  it('lists the gravest check first, with cause and remedy', async () => {
    await draw(({ fake }) => fake.setState(fakeStates(0).failed));
    const checks = within(card('Checks')).getAllByRole('listitem');
    expect(checks.map((row) => row.getAttribute('data-tone'))).toEqual(['bad', 'warn', 'ok']);
    expect(checks[0]?.textContent).toContain('Way to the gateway');
    expect(checks[0]?.textContent).toContain('Problem');
    expect(checks[0]?.textContent).toContain('a firewall on the way blocks UDP 500 and 4500');
    expect(checks[0]?.textContent).toContain('Try another network');
    expect(card('Checks').textContent).toContain('1 problem found. 1 warning.');
    expect(card('Checks').textContent).toContain(FAKE_ERROR.message);
  });

  it('looks again when the state changes, and when asked', async () => {
    const user = userEvent.setup();
    const { fake } = await draw();
    const asked = (): number => fake.calls.filter(({ name }) => name === 'checks').length;
    const first = asked();
    await act(async () => {
      fake.setState(fakeStates(0).connected);
      await settle();
    });
    const second = asked();
    expect(second).toBeGreaterThan(first);
    await user.click(within(card('Checks')).getByRole('button', { name: 'Check again' }));
    await settled();
    expect(asked()).toBeGreaterThan(second);
  });

  it('says what a dropped packet means', async () => {
    await draw();
    const row = within(card('Dropped packets')).getByRole('row', { name: /inAuthFailed/ });
    expect(row.textContent).toContain(createTranslate('en')('drop.inAuthFailed'));
    expect(row.textContent).toContain('2');
  });

  it('tells the checks in the person’s language', async () => {
    await draw(({ fake }) => fake.setState(fakeStates(0).failed), 'de');
    const reach = page().querySelector('[data-check=gateway-reachable]');
    expect(reach?.querySelector('h3')?.textContent).toBe('Weg zum Gateway');
    expect(reach?.querySelector('p')?.textContent).toBe('Es antwortet nicht auf UDP 500 und 4500.');
    expect(reach?.querySelector('[lang]')).toBeNull();
  });

  it('shows the log that was kept, follows it, and filters it', async () => {
    const user = userEvent.setup();
    const { fake } = await draw(logged);
    expect(lines()).toEqual(['IKE_SA_INIT sent', 'a route was there already']);
    await act(async () => {
      fake.log({ level: 'error', area: 'ike', text: 'no answer' });
      await settle();
    });
    expect(lines()).toEqual(['IKE_SA_INIT sent', 'a route was there already', 'no answer']);

    await user.click(within(page()).getByRole('button', { name: /Level/ }));
    await user.click(screen.getByRole('option', { name: 'Warnings and errors' }));
    expect(lines()).toEqual(['a route was there already', 'no answer']);
    await user.click(within(page()).getByRole('button', { name: /Area/ }));
    await user.click(screen.getByRole('option', { name: 'ike' }));
    expect(lines()).toEqual(['no answer']);
    await user.type(within(page()).getByRole('searchbox', { name: 'Contains' }), 'zzz');
    expect(page().textContent).toContain('No entry matches the filter.');
    await user.click(within(page()).getByRole('button', { name: 'Clear the filter' }));
    expect(lines()).toHaveLength(4);
  });

  it('copies what is shown', async () => {
    const user = userEvent.setup();
    await draw(logged);
    const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    await user.click(within(page()).getByRole('button', { name: 'Copy what is shown' }));
    expect(write.mock.calls[0]?.[0]).toMatch(/Z info {2}ike: IKE_SA_INIT sent\n.*Z warn {2}net: a route/);
    expect(write.mock.calls[0]?.[0]).not.toContain('a detail');
    write.mockRestore();
  });

  it('makes a report, and saves it', async () => {
    const user = userEvent.setup();
    const { fake } = await draw();
    await user.click(within(page()).getByRole('button', { name: 'Make a report' }));
    await settled();
    expect(within(page()).getByRole('region', { name: 'The report' }).textContent).toContain('Culvert report (fake)');
    expect(fake.calls.at(-1)).toEqual({ name: 'report', params: { profile: 'office' } });
    const made: Blob[] = [];
    const url = vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
      made.push(blob as Blob);
      return 'blob:report';
    });
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
    await user.click(within(page()).getByRole('button', { name: 'Save as JSON' }));
    expect(click).toHaveBeenCalledTimes(1);
    expect(await made[0]?.text()).toBe('{"culvert":"0.0.0-fake"}');
    url.mockRestore();
    click.mockRestore();
  });

  it('says why there is no report', async () => {
    const user = userEvent.setup();
    const { fake } = await draw();
    fake.fail('report', { code: 'daemon/x', message: 'No report now.', remedy: 'Later.' });
    await user.click(within(page()).getByRole('button', { name: 'Make a report' }));
    await settled();
    expect(card('Report').textContent).toContain('No report now.');
  });
});

const SAID = { code: 'check.new', data: {}, text: '' };

it('counts problems and warnings in words', () => {
  const t = createTranslate('en');
  const check = (verdict: 'pass' | 'warn' | 'fail' | 'skipped') => ({
    id: verdict,
    verdict,
    title: SAID,
    found: SAID,
    cause: null,
    remedy: null,
    data: {},
  });
  expect(summary([], t)).toBe('The engine made no checks.');
  expect(summary([check('pass'), check('skipped')], t)).toBe('2 checks, no problem found.');
  expect(summary([check('warn'), check('pass')], t)).toBe('1 warning.');
  expect(summary([check('fail'), check('fail')], t)).toBe('2 problems found.');
});

it('names a report by its time', () => {
  expect(nameOf(new Date(Date.UTC(2026, 4, 1, 13, 5)), 'txt')).toBe('culvert-report-2026-05-01-1305.txt');
});
