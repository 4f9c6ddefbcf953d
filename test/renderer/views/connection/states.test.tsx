// @vitest-environment happy-dom
// Each state of the connection says the right words, in each language, and offers the right acts.
import { act, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineState } from '../../../../main/ipc/contract.ts';
import { FAKE_ERROR, FAKE_PROFILES, fakeStates, fakeTunnel } from '../../../../main/ipc/fake.ts';
import { LANGUAGES, type Language } from '../../../../renderer/i18n/languages.ts';
import { createTranslate } from '../../../../renderer/i18n/translate.ts';
import { settle } from '../../clock.ts';
import { drawApp } from '../../draw.tsx';
import { type Setting, setUp } from '../../engine.ts';

const LANGUAGE_SETTINGS = { en: 'en', zh: 'zh-Hans', de: 'de', fr: 'fr' } as const;

async function draw(language: Language, state?: EngineState): Promise<Setting> {
  const setting = await setUp();
  await setting.engine.call('setSettings', { language: LANGUAGE_SETTINGS[language] });
  if (state) setting.fake.setState(state);
  await settle();
  drawApp(setting.engine, 'connection', language);
  return setting;
}

const page = (): HTMLElement => screen.getByRole('main');
const words = (): string => page().textContent ?? '';

// Clocks show what they show, however slow the machine is.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(LANGUAGES)('in %s', (language) => {
  const t = createTranslate(language);
  const office = { profile: 'office' };
  const states = fakeStates(1_700_000_000_000);

  it('disconnected', async () => {
    await draw(language, states.disconnected);
    expect(words()).toContain(t('connection.disconnected'));
    expect(within(page()).getByRole('button', { name: t('connection.connect') })).toBeTruthy();
    expect(within(page()).queryByRole('button', { name: t('connection.disconnect') })).toBeNull();
  });

  it('connecting, with the step it is at', async () => {
    await draw(language, states.connecting);
    expect(words()).toContain(t('connection.connecting', office));
    const step = within(page()).getByText(t('connection.step.auth'), { exact: false });
    expect(step.closest('li')?.getAttribute('aria-current')).toBe('step');
    expect(page().querySelectorAll('[data-stand=done]')).toHaveLength(3);
    expect(page().querySelectorAll('[data-stand=later]')).toHaveLength(2);
    expect(within(page()).getByRole('button', { name: t('connection.cancel') })).toBeTruthy();
  });

  it('connected, with how the tunnel is made', async () => {
    await draw(language, states.connected);
    expect(words()).toContain(t('connection.connected', office));
    for (const text of ['10.88.0.2/24', '192.0.2.1:4500', 'aes128gcm16-prfsha256-ecp256', 'culvert0', '1414'])
      expect(words()).toContain(text);
    expect(words()).toContain(t('connection.postQuantum.no'));
    expect(words()).toContain(t('connection.nat.local'));
    expect(within(page()).getByRole('timer').textContent).toBe('0:01:30');
    expect(within(page()).getByRole('button', { name: t('connection.disconnect') })).toBeTruthy();
  });

  it('connected with keys that a quantum computer does not give away, and by what', async () => {
    const { connected } = states;
    if (connected.state !== 'connected') throw new Error(connected.state);
    const ikeProposal = 'aes256gcm16-prfsha256-ecp256-ke1_mlkem768';
    await draw(language, { ...connected, tunnel: { ...connected.tunnel, ikeProposal, postQuantum: true } });
    expect(words()).toContain(t('connection.postQuantum.by', { kem: 'ML-KEM-768' }));
  });

  it('failed over algorithms, with what we offered beside what they accept', async () => {
    const error = {
      ...FAKE_ERROR,
      code: 'ike/no-ike-proposal',
      data: {
        'offered.encryption': 'aes256gcm16 aes128',
        'offered.key-exchange': 'ecp256',
        'accepted.key-exchange': 'modp1024',
      },
    };
    await draw(language, { state: 'failed', profile: 'office', error });
    const table = within(page()).getByRole('table', { name: t('problem.compared') });
    const rows = within(table)
      .getAllByRole('row')
      .map((row) => [...row.children].map((cell) => cell.textContent));
    expect(rows).toEqual([
      ['', t('problem.offered'), t('problem.accepted')],
      [t('problem.kind.encryption'), 'aes256gcm16 aes128', t('problem.notTold')],
      [t('problem.kind.key-exchange'), 'ecp256', 'modp1024'],
    ]);
  });

  it('blocked, with the networks and why', async () => {
    await draw(language, states.reconnecting);
    expect(words()).toContain(t('connection.blocked', office));
    expect(words()).toContain('10.0.0.0/8, 172.16.0.0/12');
    expect(words()).toContain(FAKE_ERROR.message);
    expect(words()).toContain(t('connection.attempt', { number: 3 }));
    expect(within(page()).getByRole('timer').textContent).toContain('8');
  });

  it('held, without a time that never comes', async () => {
    const lost = states.reconnecting;
    if (lost.state !== 'reconnecting') throw new Error('not what it is called');
    await draw(language, { ...lost, held: true });
    expect(words()).toContain(t('connection.blocked', office));
    expect(words()).toContain(t('connection.held'));
    expect(words()).toContain(FAKE_ERROR.message);
    expect(within(page()).queryByRole('timer')).toBeNull();
    for (const act of ['connection.tryAgain', 'connection.stop'] as const)
      expect(within(page()).getByRole('button', { name: t(act) })).toBeTruthy();
  });

  it('reconnecting where nothing is blocked', async () => {
    const { fake, engine } = await draw(language);
    const status = engine.store.get().status;
    if (!status) throw new Error('no status');
    await act(async () => {
      fake.publish('status', { ...status, engine: states.reconnecting, blocked: [] });
      await settle();
    });
    expect(words()).toContain(t('connection.reconnecting', office));
    expect(words()).not.toContain(t('connection.blocked', office));
  });

  it('disconnecting', async () => {
    await draw(language, states.disconnecting);
    expect(words()).toContain(t('connection.disconnecting', office));
  });

  it('failed, and what to do', async () => {
    await draw(language, states.failed);
    expect(words()).toContain(t('connection.failed', office));
    expect(words()).toContain(language === 'en' ? FAKE_ERROR.remedy : t('error.ike/no-response.remedy'));
    expect(words()).toContain('ike/no-response');
    expect(within(page()).getByRole('button', { name: t('connection.tryAgain') })).toBeTruthy();
  });

  it('engine unreachable, and reachable again', async () => {
    const { kill, start, clock, engine } = await draw(language, states.connected);
    await act(kill);
    expect(words()).toContain(t('connection.unreachable'));
    expect(words()).not.toContain(t('connection.connected', office));
    expect(
      screen
        .getAllByRole('alert')
        .map(({ textContent }) => textContent)
        .join(),
    ).toContain(t('announce.unreachable'));
    start().setState(states.connected);
    await act(() => clock.pass(1000));
    // Another engine in memory knows nothing of what was set in the first.
    await act(() => engine.call('setSettings', { language: LANGUAGE_SETTINGS[language] }));
    expect(words()).toContain(t('connection.connected', office));
  });
});

describe('the connection page', () => {
  it('warns of a tunnel without encryption in its title', async () => {
    const [profile] = FAKE_PROFILES;
    if (!profile) throw new Error('no profile');
    const tunnel = {
      ...fakeTunnel({ ...profile, shape: 'gre-plain' }, 1476, Date.now()),
      warnings: [{ code: 'tunnel.new', data: {}, text: 'Anybody can read it.' }],
    };
    await draw('en', { state: 'connected', profile: 'office', tunnel });
    expect(words()).toContain('Connected to office, not encrypted');
    expect(words()).toContain('Anybody can read it.');
    expect(words()).not.toContain('aes128gcm16');
  });

  it('connects and disconnects by keyboard alone, and says so', async () => {
    const { engine } = await draw('en');
    const user = userEvent.setup();
    const until = async (name: string): Promise<void> => {
      for (let i = 0; i < 30; i++) {
        if (document.activeElement?.textContent === name) return;
        await user.tab();
      }
      throw new Error(`the keyboard does not reach ${name}`);
    };
    await until('Connect');
    // The tab of the narrow layout has the same short word: the button is what we want.
    while (document.activeElement?.tagName !== 'BUTTON') await user.tab();
    await user.keyboard('{Enter}');
    await act(settle);
    expect(words()).toContain('Connected to office');
    expect(
      screen
        .getAllByRole('status')
        .map(({ textContent }) => textContent)
        .join(),
    ).toContain('Connected to office.');
    await until('Disconnect');
    await user.keyboard('{Enter}');
    await act(settle);
    expect(words()).toContain('Disconnected');
    expect(engine.store.get().wish).toBeNull();
  });

  it('connects the profile that was picked', async () => {
    const { fake } = await draw('en');
    const user = userEvent.setup();
    await user.click(within(page()).getByRole('button', { name: /Profile/ }));
    await user.click(screen.getByRole('option', { name: /lab/ }));
    await user.click(within(page()).getByRole('button', { name: 'Connect' }));
    await act(settle);
    expect(fake.calls.at(-1)).toEqual({ name: 'connect', params: { profile: 'lab' } });
  });

  it('shows numbers as they come', async () => {
    const { fake } = await draw('en', fakeStates(Date.now()).connected);
    expect(words()).toContain('No measurements yet.');
    const time = Date.now();
    await act(async () => {
      fake.publish('samples', [
        {
          time,
          seconds: 2,
          bytesIn: 250_000,
          bytesOut: 25_000,
          packetsIn: 198,
          packetsOut: 50,
          latency: 17,
          loss: 0.01,
        },
      ]);
      fake.publish('traffic', {
        bytesIn: 1_234_000,
        bytesOut: 56_000,
        packetsIn: 1001,
        packetsOut: 1,
        counters: { inAuthFailed: 7, inPackets: 1001, outMssClamped: 3 },
        lastInboundAgo: 65_000,
      });
      await settle();
    });
    for (const text of ['1 Mb/s', '100 kb/s', '17 ms', '1.23 MB', '1001 packets', '1 packet', '1%', '1 min 5 sec ago'])
      expect(words()).toContain(text);
    expect(within(page()).getByRole('img', { name: /^Receiving 1 Mb\/s/ })).toBeTruthy();
    expect(within(page()).getByRole('row', { name: /integrity check fails inAuthFailed 7/ })).toBeTruthy();
    expect(words()).not.toContain('outMssClamped');
  });
});
