// What axe-core cannot see, before the contract's in-memory engine: motion that stops where it is not wanted, colours that
// the system forces, dialogs that keep the focus and give it back, what is said aloud, text from the right, and how often
// statistics make the browser lay the page out.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { live } from '../live/live.ts';
import { openStage, type Stage } from './stage.mjs';
import { A_SECOND, watch } from './updates.ts';

const missing = [
  existsSync('/usr/bin/chromium') ? undefined : 'browser tests need Debian’s chromium',
  existsSync(fileURLToPath(new URL('../../build/out/renderer/index.html', import.meta.url)))
    ? undefined
    : 'the interface is not built (npm run build)',
];

live('the manners of the interface', missing, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(async () => {
    await stage?.close();
  });
  const run = <T = unknown>(expression: string): Promise<T> => stage.browser.run<T>(expression);
  const until = (expression: string): Promise<unknown> => stage.browser.until(expression);

  const MOVING = `document.getAnimations().filter((one) => one.playState === 'running').length`;
  test('nothing moves where a person wants no motion', async () => {
    await stage.browser.look(1440, 900);
    await stage.play('connection-connecting-auth');
    expect(await run(MOVING)).toBeGreaterThan(0);
    await stage.browser.look(1440, 900, { still: true });
    await stage.browser.settle();
    expect(await run(MOVING)).toBe(0);
    const durations = `[...document.querySelectorAll('*')].map((one) => getComputedStyle(one).transitionDuration)`;
    expect(await run(`${durations}.filter((time) => time.split(', ').some((one) => parseFloat(one) > 0)).length`)).toBe(
      0,
    );
  });

  /** The colours by which a person tells things apart, as they are painted. */
  const style = (selector: string, property: string): Promise<string> =>
    run(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`);
  test('states and choices are told apart where the system forces its colours', async () => {
    await stage.browser.look(1440, 900, { forced: true, still: true });
    await stage.play('connection-connecting-auth');
    expect(await run(`matchMedia('(forced-colors: active)').matches`)).toBe(true);
    // The page that is open, and the step that is under way: not by a ground alone, which is taken away.
    expect(await style('.tab[aria-current]', 'outlineStyle')).toBe('solid');
    expect(await style('.step[data-stand=now]', 'borderTopColor')).not.toBe(
      await style('.step[data-stand=later]', 'borderTopColor'),
    );
    await stage.play('routes');
    const chosen = await style('.radio[data-selected] .radio-mark', 'borderTopWidth');
    expect(chosen).not.toBe(await style('.radio:not([data-selected]) .radio-mark', 'borderTopWidth'));
    expect(await style('.switch[data-selected] .switch-track', 'backgroundColor')).not.toBe(
      await style('.card', 'backgroundColor'),
    );
    await stage.play('profiles-import');
    expect(await style('.source-tab[data-selected]', 'borderBottomColor')).not.toBe(
      await style('.source-tab:not([data-selected])', 'borderBottomColor'),
    );
    await stage.play('mtu-testing');
    expect(await style('.progress-bar', 'backgroundColor')).not.toBe(await style('.progress-track', 'backgroundColor'));
    await stage.play('connection-failed');
    expect(await style('.notice', 'borderTopStyle')).toBe('solid');
    await stage.browser.look(1440, 900, { still: true });
  });

  const focus = (selector: string): Promise<unknown> =>
    run(`document.querySelector(${JSON.stringify(selector)}).focus()`);
  const HELD = `document.activeElement.closest('[role=dialog], [role=alertdialog]') !== null`;
  test.each([
    ['profiles', '[data-act=import] button'],
    ['profiles', '.profile-acts .button:nth-child(2)'],
    ['profiles', '.profile-acts .button:nth-child(3)'],
    ['routes', '.route-lists > :nth-child(1) .card-head .button'],
    ['routes', '.route-buttons .button'],
    ['routes-full', '.row.end .button'],
  ])('on %s, the dialog of %s holds the focus and gives it back', async (name, opener) => {
    await stage.play(name);
    await focus(opener);
    await stage.browser.key('Enter');
    await until(HELD);
    // The page behind is out of reach, for the keyboard and for a screen reader.
    expect(await run(`document.querySelector('.shell').closest('[aria-hidden=true], [inert]') !== null`)).toBe(true);
    for (let i = 0; i < 12; i++) {
      await stage.browser.key(i % 3 === 2 ? 'BackTab' : 'Tab');
      expect(await run(HELD)).toBe(true);
    }
    await stage.browser.key('Escape');
    await until(`!document.querySelector('[role=dialog], [role=alertdialog]')`);
    await until(`document.activeElement === document.querySelector(${JSON.stringify(opener)})`);
  });

  test('a question of the gateway has the focus at once, and the page has it again', async () => {
    await stage.play('connection-prompt');
    await until(`document.activeElement.closest('[role=alertdialog]') && document.activeElement.matches('input')`);
    await stage.browser.key('Escape');
    await until(`!document.querySelector('[role=alertdialog]')`);
    expect(stage.fake.calls.some(({ name }) => name === 'answerPrompt')).toBe(true);
  });

  test('a profile that is removed leaves the focus on the page', async () => {
    await stage.play('profiles');
    await focus('li:nth-child(2) .profile-acts .button:nth-child(3)');
    await stage.browser.key('Enter');
    await until(HELD);
    await run(`document.querySelector('.dialog-acts .button:last-child').focus()`);
    await stage.browser.key('Enter');
    await until(
      `!document.querySelector('[role=alertdialog]') && document.querySelectorAll('.profile-acts').length === 1`,
    );
    await until(`document.activeElement.matches('main, main *')`);
  });

  const said = (urgency: 'polite' | 'assertive'): string =>
    `document.querySelector('[aria-live=${urgency}].only-heard').textContent.trim()`;
  test('says every change of state, and interrupts with what must be known', async () => {
    await stage.play('connection-disconnected');
    expect(await run(said('polite'))).toBe('');
    const { fake } = stage;
    const error = { code: 'ike/no-response', message: 'No answer.', remedy: 'Try again.' };
    const profile = 'office';
    fake.setState({ state: 'connecting', profile, step: 'resolve', attempt: 1 });
    await until(`${said('polite')} === 'Connecting to office.'`);
    // A step is not news: it would drown what is.
    fake.setState({ state: 'connecting', profile, step: 'auth', attempt: 1 });
    await stage.browser.settle();
    expect(await run(said('polite'))).toBe('Connecting to office.');
    fake.setState({ state: 'reconnecting', profile, because: error, attempt: 1, retryAt: Date.now() + 9000 });
    await until(`${said('assertive')}.includes('was lost. Traffic for the tunnel is blocked')`);
    fake.setState({ state: 'failed', profile, error });
    await until(`${said('assertive')} === 'Connecting to office failed.'`);
    fake.setState({ state: 'disconnected', lastError: null });
    await until(`${said('polite')} === 'Disconnected.'`);
  });

  test.each(['connection-long', 'routes-many', 'mtu', 'profiles-preview', 'settings-shell', 'diagnostics-log'])(
    '%s fits from the right, too',
    async (name) => {
      await stage.browser.look(360, 780, { still: true });
      await stage.play(name, { pseudo: 'rtl' });
      expect(await run('document.dir')).toBe('rtl');
      // What overflows to the left of such a page is beyond its end.
      expect(
        await run(
          `[...document.querySelectorAll('html, main, .modal')].filter((one) => one.scrollWidth > one.clientWidth).length`,
        ),
      ).toBe(0);
      // The line's end of a page from the right: its title stands at the right.
      const { left, right } = await run<{ left: number; right: number }>(
        `(() => { const { left, right } = document.querySelector('h1').getBoundingClientRect(); return { left, right }; })()`,
      );
      expect(360 - right).toBeLessThan(left + 1);
      await stage.browser.look(1440, 900, { still: true });
    },
  );

  test('sixty updates of statistics a second lay the page out once each, at most', async () => {
    await stage.play('connection-connected');
    const cost = await watch(stage, A_SECOND, 2);
    expect(cost.updates).toBe(2 * A_SECOND);
    expect(cost.shown).toBe(true);
    // An update is two events (a sample, and the totals). One frame or one event is one layout; a page that reads what it
    // has just written would need several.
    expect(cost.layouts).toBeLessThanOrEqual(2 * cost.updates + 10);
    expect(cost.layouts).toBeGreaterThan(0);
  });
});
