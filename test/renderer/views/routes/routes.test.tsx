// @vitest-environment happy-dom
// The routes page: what it shows is the engine's view, what a person changes arrives there, what is locked stays closed.
import { act, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';
import type { RoutesView } from '../../../../main/ipc/contract.ts';
import { FAKE_PROFILES, fakeStates } from '../../../../main/ipc/fake.ts';
import { settle } from '../../clock.ts';
import { drawApp } from '../../draw.tsx';
import { type Setting, setUp } from '../../engine.ts';

const page = (): HTMLElement => screen.getByRole('main');
const words = (): string => page().textContent ?? '';
const card = (name: string): HTMLElement => within(page()).getByRole('region', { name });
const settled = (): Promise<void> => act(settle);
const dialog = (): HTMLElement => screen.getByRole('dialog');

async function draw(options: Parameters<typeof setUp>[0] & { connected?: boolean } = {}): Promise<Setting> {
  const { connected = true, ...rest } = options;
  const setting = await setUp(rest);
  if (connected) setting.fake.setState(fakeStates(Date.now()).connected);
  await settle();
  drawApp(setting.engine, 'routes');
  await settled();
  return setting;
}

const changesOf = ({ fake }: Setting) =>
  fake.calls.filter(({ name }) => /^(set|add|edit|remove|reset)/.test(name)).map(({ name, params }) => [name, params]);

describe('the routes page', () => {
  it('shows what is included and excluded, and who locked what', async () => {
    await draw();
    expect(within(card('Through the tunnel')).getByText('10.0.0.0/8')).toBeTruthy();
    const direct = card('Direct, past the tunnel');
    expect(within(direct).getByText('10.9.0.0/16')).toBeTruthy();
    expect(direct.textContent).toContain('Locked by Example Ltd, IT');
    expect(within(direct).queryByRole('button', { name: /Remove/ })).toBeNull();
    expect(within(direct).queryByRole('button', { name: /Add/ })).toBeNull();
    expect(words()).toContain('In effect now');
  });

  it('opens locked lists to an administrator', async () => {
    await draw({ role: 'administrator' });
    const direct = card('Direct, past the tunnel');
    expect(direct.textContent).toContain('Locked by Example Ltd, IT');
    expect(within(direct).getByRole('button', { name: 'Remove 10.9.0.0/16' })).toBeTruthy();
  });

  it('marks what came from the gateway, what is blocked and what has no effect; none of the gateway’s can be edited', async () => {
    const { fake } = await draw();
    const route = { kind: 'include', lock: null, active: true } as const;
    const view: RoutesView = {
      profile: 'office',
      live: true,
      mode: 'full',
      modeLock: null,
      entries: [
        { ...route, prefix: '0.0.0.0/0', origin: 'user', way: 'tunnel' },
        { ...route, prefix: '10.50.0.0/16', origin: 'gateway', way: 'tunnel', active: false },
        { ...route, prefix: '2001:db8::/32', origin: 'profile', way: 'blocked' },
        { ...route, kind: 'exclude', prefix: '192.168.1.0/24', origin: 'lan', way: 'direct' },
      ],
      allowLan: true,
      allowLanLock: null,
      fromGateway: true,
      fromGatewayLock: null,
      changed: false,
      warnings: [{ code: 'tunnel.new', data: {}, text: 'A warning of the engine.' }],
    };
    await act(async () => {
      fake.publish('routes', view);
      await settle();
    });
    const tunnel = card('Through the tunnel');
    expect(tunnel.textContent).toContain('all of IPv4');
    expect(tunnel.textContent).toContain('Learned from the gateway');
    expect(tunnel.textContent).toContain('No effect while everything goes through the tunnel');
    expect(tunnel.textContent).toContain('Blocked: the tunnel has no address of this family');
    expect(within(tunnel).queryByRole('button', { name: 'Remove 10.50.0.0/16' })).toBeNull();
    expect(within(tunnel).getByRole('button', { name: 'Remove 2001:db8::/32' })).toBeTruthy();
    expect(within(card('Direct, past the tunnel')).getByText('Local network')).toBeTruthy();
    expect(words()).toContain('A warning of the engine.');
  });

  it('switches between full and split', async () => {
    const user = userEvent.setup();
    const setting = await draw();
    await user.click(within(page()).getByRole('radio', { name: /Everything/ }));
    await settled();
    expect(changesOf(setting)).toEqual([['setRouteMode', { profile: 'office', mode: 'full' }]]);
    expect(within(card('Through the tunnel')).getByText('0.0.0.0/0')).toBeTruthy();
  });

  it('shows what was chosen last while the engine has not answered, so that a mind can be changed', async () => {
    const user = userEvent.setup();
    const setting = await draw();
    const radio = (name: RegExp) => within(page()).getByRole<HTMLInputElement>('radio', { name });
    const answers: (() => void)[] = [];
    const call = setting.engine.call.bind(setting.engine);
    vi.spyOn(setting.engine, 'call').mockImplementation(async (name, params) => {
      if (name === 'setRouteMode') await new Promise<void>((resolve) => answers.push(resolve));
      return call(name, params);
    });
    await user.click(radio(/Everything/));
    expect(radio(/Everything/).checked).toBe(true);
    await user.click(radio(/Only the networks/));
    expect(radio(/Only the networks/).checked).toBe(true);
    expect(answers).toHaveLength(2);
    for (const answer of answers) {
      answer();
      await settled();
      expect(radio(/Only the networks/).checked).toBe(true);
    }
    expect(changesOf(setting).map(([, params]) => params)).toEqual([
      { profile: 'office', mode: 'full' },
      { profile: 'office', mode: 'split' },
    ]);
  });

  it('switches the local network and the gateway’s networks', async () => {
    const user = userEvent.setup();
    const setting = await draw();
    await user.click(within(page()).getByRole('switch', { name: /Local network stays reachable/ }));
    await settled();
    await user.click(within(page()).getByRole('switch', { name: /Take networks from the gateway/ }));
    await settled();
    expect(changesOf(setting)).toEqual([
      ['setRouteOptions', { profile: 'office', allowLan: false }],
      ['setRouteOptions', { profile: 'office', fromGateway: false }],
    ]);
  });

  it('adds a route: judged while it is typed, put right with one press', async () => {
    const user = userEvent.setup();
    const setting = await draw();
    await user.click(within(card('Through the tunnel')).getByRole('button', { name: /Add/ }));
    const field = within(dialog()).getByRole('textbox', { name: 'Network or address' });
    await user.type(field, '192.168.77.5/24');
    const use = await within(dialog()).findByRole('button', { name: 'Use 192.168.77.0/24' });
    expect(dialog().textContent).toContain('The network is 192.168.77.0/24;');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(within(dialog()).getByRole('button', { name: 'Add' }).hasAttribute('disabled')).toBe(true);
    await user.click(use);
    await waitFor(() => expect(field.getAttribute('aria-invalid')).toBeNull());
    await user.click(within(dialog()).getByRole('button', { name: 'Add' }));
    await settled();
    expect(changesOf(setting)).toEqual([
      ['addRoute', { profile: 'office', prefix: '192.168.77.0/24', kind: 'include' }],
    ]);
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(within(card('Through the tunnel')).getByText('192.168.77.0/24')).toBeTruthy();
  });

  it.each([
    ['10.0.0.0/8', 'This is in the list already.'],
    ['0.0.0.0/0', 'This is everything'],
    ['nonsense', 'This is not a network or an address.'],
  ])('refuses %s', async (typed, why) => {
    const user = userEvent.setup();
    await draw();
    await user.click(within(card('Through the tunnel')).getByRole('button', { name: /Add/ }));
    await user.type(within(dialog()).getByRole('textbox'), typed);
    await within(dialog()).findByText(why, { exact: false });
    expect(within(dialog()).getByRole('button', { name: 'Add' }).hasAttribute('disabled')).toBe(true);
  });

  it('warns of an overlap and adds it all the same', async () => {
    const user = userEvent.setup();
    const setting = await draw();
    await user.click(within(card('Through the tunnel')).getByRole('button', { name: /Add/ }));
    await user.type(within(dialog()).getByRole('textbox'), '10.20.0.0/16');
    await within(dialog()).findByText('10.0.0.0/8 covers this already. It may stay.');
    await user.keyboard('{Enter}');
    await settled();
    expect(changesOf(setting)).toEqual([['addRoute', { profile: 'office', prefix: '10.20.0.0/16', kind: 'include' }]]);
  });

  it('changes and removes a route', async () => {
    const user = userEvent.setup();
    const setting = await draw();
    await user.click(within(page()).getByRole('button', { name: 'Change 172.16.0.0/12' }));
    const field = within(dialog()).getByRole('textbox');
    expect((field as HTMLInputElement).value).toBe('172.16.0.0/12');
    await user.clear(field);
    await user.type(field, '172.20.0.0/16{Enter}');
    await settled();
    await user.click(within(page()).getByRole('button', { name: 'Remove 10.0.0.0/8' }));
    await settled();
    expect(changesOf(setting)).toEqual([
      [
        'editRoute',
        {
          profile: 'office',
          from: { prefix: '172.16.0.0/12', kind: 'include' },
          to: { prefix: '172.20.0.0/16', kind: 'include' },
        },
      ],
      ['removeRoute', { profile: 'office', prefix: '10.0.0.0/8', kind: 'include' }],
    ]);
    const left = within(card('Through the tunnel')).getAllByRole('listitem');
    expect(left.map((row) => row.textContent)).toEqual([expect.stringContaining('172.20.0.0/16')]);
  });

  it('shows what the engine refuses, in the dialog', async () => {
    const user = userEvent.setup();
    const { fake } = await draw();
    fake.fail('addRoute', { code: 'daemon/x', message: 'The engine refuses.', remedy: 'Do this.' });
    await user.click(within(card('Through the tunnel')).getByRole('button', { name: /Add/ }));
    await user.type(within(dialog()).getByRole('textbox'), '192.0.2.0/24{Enter}');
    await settled();
    expect(dialog().textContent).toContain('The engine refuses.');
  });

  it('goes back to the profile after a question, where nothing is locked', async () => {
    const user = userEvent.setup();
    const setting = await draw({ connected: false, profiles: FAKE_PROFILES.map((one) => ({ ...one, locked: [] })) });
    expect(within(page()).queryByRole('button', { name: 'Back to the profile' })).toBeNull();
    await user.click(within(page()).getByRole('button', { name: 'Remove 172.16.0.0/12' }));
    await settled();
    await user.click(within(page()).getByRole('button', { name: 'Back to the profile' }));
    await user.click(within(screen.getByRole('alertdialog')).getByRole('button', { name: 'Back to the profile' }));
    await settled();
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(within(card('Through the tunnel')).getByText('172.16.0.0/12')).toBeTruthy();
    expect(changesOf(setting).at(-1)).toEqual(['resetRoutes', { profile: 'office' }]);
  });

  it('answers where an address goes, and asks again once the routes are others', async () => {
    const user = userEvent.setup();
    const { fake } = await draw();
    const lookup = card('Where would this go?');
    await user.type(within(lookup).getByRole('textbox'), '172.16.5.5{Enter}');
    await settled();
    expect(lookup.textContent).toContain('172.16.0.0/12 goes through the tunnel. · From the profile');
    expect(lookup.textContent).toContain('Answered for the tunnel that is up.');
    await user.click(within(page()).getByRole('button', { name: 'Remove 172.16.0.0/12' }));
    await settled();
    expect(lookup.textContent).toContain('No route of the tunnel covers it');
    expect(fake.calls.filter(({ name }) => name === 'routeLookup').length).toBeGreaterThan(1);
  });

  it('says why a name has no answer', async () => {
    const user = userEvent.setup();
    const { fake } = await draw();
    fake.fail('routeLookup', { code: 'routes/target', message: 'The name x could not be resolved.', remedy: 'Check.' });
    const lookup = card('Where would this go?');
    await user.type(within(lookup).getByRole('textbox'), 'x{Enter}');
    await settled();
    expect(lookup.textContent).toContain('The name x could not be resolved.');
  });

  it('shows another profile without connecting it', async () => {
    const user = userEvent.setup();
    await draw({ connected: false });
    expect(words()).toContain('From the next connection on');
    await user.click(within(page()).getByRole('button', { name: /office/ }));
    await user.click(screen.getByRole('option', { name: 'lab' }));
    await settled();
    expect(within(card('Through the tunnel')).getByText('::/0')).toBeTruthy();
  });

  it('leads to the profiles where there is none', async () => {
    await draw({ connected: false, profiles: [] });
    expect(words()).toContain('No profile yet');
    expect(within(page()).getByRole('link', { name: 'Go to Profiles' }).getAttribute('href')).toBe('#/profiles');
  });

  it('says that the engine is away, and keeps what was known', async () => {
    const setting = await draw();
    await act(() => setting.kill());
    expect(words()).toContain('The engine');
    expect(within(card('Through the tunnel')).getByText('10.0.0.0/8')).toBeTruthy();
  });
});
