// When the tunnel comes up by itself: the decision as a table, and the one who watches the network, in time that the test moves.
import { expect, it, test } from 'vitest';
import { type AutoConnectDeps, createAutoConnect, decide, samePlace } from '../../main/daemon/auto-connect.ts';
import {
  DEFAULT_SETTINGS,
  type Network,
  type Settings,
  type TrustedNetwork,
  trustOf,
} from '../../main/ipc/contract.ts';
import type { Attachment, Place } from '../../main/net/attachment/api.ts';
import { fakeAttachment } from '../../main/net/attachment/fake.ts';
import { fakeMonitor } from '../../main/net/monitor/fake.ts';

const wifi = (name: string, secured = true): Attachment => ({ kind: 'wifi', name, secured });
const wired = (gateway: string): Attachment => ({ kind: 'wired', gateway });
const UNKNOWN: Attachment = { kind: 'unknown', because: 'name-hidden' };
const OFFLINE: Attachment = { kind: 'offline' };
const ROUTER = '3c:a6:2f:10:0b:0c';
const TRUSTED: readonly TrustedNetwork[] = [
  { kind: 'wifi', name: 'Home' },
  { kind: 'wired', gateway: ROUTER },
];

test.each<[Network, ReturnType<typeof trustOf>]>([
  [wifi('Home'), 'trusted'],
  [wifi('Home', false), 'unproven'],
  [wifi('home'), 'untrusted'],
  [wifi('Home '), 'untrusted'],
  [wifi('Café', false), 'untrusted'],
  // A network may call itself as it likes, also like a router.
  [wifi(ROUTER), 'untrusted'],
  [wired(ROUTER), 'trusted'],
  [wired('3c:a6:2f:10:0b:0d'), 'untrusted'],
  [UNKNOWN, 'unknown'],
  [{ kind: 'unknown', because: 'not-readable' }, 'unknown'],
  [OFFLINE, 'offline'],
])('%j is %s', (network, trust) => {
  expect(trustOf(network, TRUSTED)).toBe(trust);
});

const CASES: readonly [string, Partial<Settings['autoConnect']>, Network, boolean, boolean, string][] = [
  ['switched off', { enabled: false }, wifi('Café'), false, false, 'off'],
  ['no profile chosen', { profile: null }, wifi('Café'), false, false, 'no-profile'],
  ['offline', {}, OFFLINE, false, false, 'offline'],
  ['trusted Wi-Fi', {}, wifi('Home'), false, false, 'trusted'],
  ['trusted cable', {}, wired(ROUTER), false, false, 'trusted'],
  ['another Wi-Fi', {}, wifi('Café'), false, false, 'connect'],
  ['another cable', {}, wired('3c:a6:2f:10:0b:0d'), false, false, 'connect'],
  ['a trusted name without a key', {}, wifi('Home', false), false, false, 'connect'],
  ['an unknown network', {}, UNKNOWN, false, false, 'connect'],
  ['nothing is trusted', { trusted: [] }, wifi('Home'), false, false, 'connect'],
  ['a tunnel runs already', {}, wifi('Café'), true, false, 'running'],
  ['the person disconnected here', {}, wifi('Café'), false, true, 'declined'],
  ['the person disconnected here, nobody knows where', {}, UNKNOWN, false, true, 'declined'],
];
test.each(CASES)('%s', (_, change, network, running, declined, expected) => {
  const autoConnect = { enabled: true, profile: 'office', trusted: TRUSTED, ...change };
  const decision = decide({ autoConnect, network, running, declined });
  expect(decision.do === 'connect' ? 'connect' : decision.because).toBe(expected);
  if (decision.do === 'connect') expect(decision.profile).toBe('office');
});

test('places are told apart', () => {
  const place = (attachment: Attachment, mark: string): Place => ({ attachment, mark });
  const unknown = place(UNKNOWN, 'en0 192.168.1.1 3c:a6:2f:10:0b:0c');
  expect(samePlace(place(wifi('a'), 'x'), place(wifi('a'), 'y'))).toBe(true);
  expect(samePlace(place(wifi('a'), 'x'), place(wifi('a', false), 'x'))).toBe(false);
  expect(samePlace(place(wifi('a'), 'x'), place(wifi('b'), 'x'))).toBe(false);
  // A Wi-Fi whose name was not readable for a moment.
  expect(samePlace(unknown, place(wifi('a'), unknown.mark))).toBe(true);
  expect(samePlace(unknown, place(UNKNOWN, 'en0 192.168.1.1 3c:a6:2f:10:0b:0d'))).toBe(false);
  expect(samePlace(place(UNKNOWN, ''), place(UNKNOWN, ''))).toBe(false);
  expect(samePlace(place(OFFLINE, ''), unknown)).toBe(false);
});

const ALICE = 1000;
const BOB = 1001;

function scene(first: Attachment) {
  const reader = fakeAttachment(first);
  const monitor = fakeMonitor();
  const published: Network[] = [];
  const connected: string[] = [];
  const notes: string[] = [];
  let now = 0;
  let timers: { at: number; fn: () => void }[] = [];
  const settings = new Map<number | null, Settings['autoConnect']>([
    [ALICE, { enabled: true, profile: 'office', trusted: TRUSTED }],
  ]);
  const present = new Set<number | null>([ALICE]);
  const state = { running: false, refuse: false };
  const deps: AutoConnectDeps = {
    reader,
    monitor,
    settings: {
      read: async (uid) => ({ ...DEFAULT_SETTINGS, autoConnect: settings.get(uid) ?? DEFAULT_SETTINGS.autoConnect }),
    },
    clock: {
      now: () => now,
      setTimer(at, fn) {
        const timer = { at, fn };
        timers.push(timer);
        return {
          cancel() {
            timers = timers.filter((each) => each !== timer);
          },
        };
      },
    },
    present: (uid) => present.has(uid),
    running: () => state.running,
    connect: async (profile) => {
      connected.push(profile);
      if (state.refuse) throw new Error('refused');
      state.running = true;
    },
    publish: (network) => published.push(network),
    note: (_, text) => notes.push(text),
  };
  const automatic = createAutoConnect(deps);
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) await Promise.resolve();
  };
  return {
    automatic,
    reader,
    monitor,
    settings,
    present,
    state,
    published,
    connected,
    notes,
    settle,
    get waiting() {
      return timers.length;
    },
    async pass(milliseconds: number): Promise<void> {
      const until = now + milliseconds;
      await settle();
      for (;;) {
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        now = due.at;
        due.fn();
        await settle();
      }
      now = until;
    },
  };
}

it('connects when the shell comes to an untrusted network, once', async () => {
  const s = scene(wifi('Café'));
  await s.automatic.noticed(ALICE, false);
  await s.settle();
  expect(s.connected).toEqual(['office']);
  expect(s.published).toEqual([wifi('Café')]);
  // It failed; the same network is not tried again by itself, however often the shell speaks.
  s.state.running = false;
  await s.automatic.noticed(ALICE, false);
  await s.automatic.look();
  expect(s.connected).toEqual(['office']);
  s.reader.join(OFFLINE);
  await s.automatic.look();
  s.reader.join(wifi('Café'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office', 'office']);
});

it('looks when the system tells of a change, once for a flurry', async () => {
  const s = scene(wifi('Home'));
  await s.automatic.noticed(ALICE, false);
  expect(s.connected).toEqual([]);
  s.reader.join(OFFLINE);
  for (const change of ['link', 'address', 'route', 'route'] as const) s.monitor.say(change);
  await s.pass(500);
  s.reader.join(wifi('Café'));
  s.monitor.say('route');
  expect(s.reader.reads).toBe(1);
  await s.pass(600);
  expect(s.reader.reads).toBe(2);
  expect(s.connected).toEqual(['office']);
  expect(s.notes).toEqual(['the network "Café" is not trusted: connecting with "office"']);
  s.automatic.close();
  expect(s.monitor.watching).toBe(0);
  expect(s.waiting).toBe(0);
});

it('reads again what changed while it was reading', async () => {
  const s = scene(wifi('Home'));
  await s.automatic.noticed(ALICE, false);
  s.reader.hang();
  s.monitor.say('link');
  await s.pass(1_000);
  expect(s.reader.reads).toBe(2);
  s.monitor.say('address');
  await s.pass(1_000);
  s.reader.join(wifi('Café'));
  // The one that hangs is given up, read once more, and then the change that came meanwhile is read.
  await s.pass(30_000);
  expect(s.connected).toEqual(['office']);
});

it('leaves alone who has disconnected, as long as they stay', async () => {
  const s = scene(wifi('Café'));
  await s.automatic.noticed(ALICE, false);
  s.automatic.declined();
  s.state.running = false;
  for (const attachment of [OFFLINE, wifi('Café'), OFFLINE, wifi('Café')]) {
    s.reader.join(attachment);
    await s.automatic.look();
    await s.automatic.settingsChanged(ALICE);
  }
  expect(s.connected).toEqual(['office']);
  // Another network, and back.
  s.reader.join(wifi('Station'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office', 'office']);
  s.state.running = false;
  s.reader.join(wifi('Café'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office', 'office', 'office']);
});

it('a person who connects again has changed their mind', async () => {
  const s = scene(wifi('Café'));
  await s.automatic.noticed(ALICE, false);
  s.automatic.declined();
  s.automatic.accepted();
  s.state.running = false;
  s.reader.join(OFFLINE);
  await s.automatic.look();
  s.reader.join(wifi('Café'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office', 'office']);
});

it('an unreadable moment does not undo what a person decided', async () => {
  const s = scene(UNKNOWN);
  s.reader.join(wifi('Café'), 'wlan0 10.0.0.1 aa');
  await s.automatic.noticed(ALICE, false);
  s.automatic.declined();
  s.state.running = false;
  s.reader.join({ kind: 'unknown', because: 'not-readable' }, 'wlan0 10.0.0.1 aa');
  const looking = s.automatic.look();
  await s.pass(2_000);
  await looking;
  expect(s.reader.reads).toBe(3);
  expect(s.connected).toEqual(['office']);
});

it('the shell of a new engine brings no new network with it', async () => {
  const s = scene(wifi('Café'));
  await s.automatic.noticed(ALICE, true);
  expect(s.connected).toEqual([]);
  s.reader.join(wifi('Station'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office']);
});

it('nor while its page has the network read for the first time', async () => {
  const s = scene(wifi('Café'));
  // A page asks which network this is as soon as it is connected, which may be before the shell says where it has been.
  const looking = s.automatic.look();
  await s.automatic.noticed(ALICE, true);
  await looking;
  await s.settle();
  expect(s.connected).toEqual([]);
  s.reader.join(wifi('Station'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office']);
});

it('a shell that was away sees to what changed meanwhile', async () => {
  const s = scene(wifi('Home'));
  await s.automatic.noticed(ALICE, false);
  s.reader.join(wifi('Café'));
  await s.automatic.noticed(ALICE, true);
  expect(s.connected).toEqual(['office']);
});

it('leaves alone who disconnected before anybody asked which network this is', async () => {
  const s = scene(wifi('Café'));
  s.automatic.declined();
  await s.automatic.noticed(ALICE, false);
  expect(s.connected).toEqual([]);
  s.reader.join(wifi('Station'));
  await s.automatic.look();
  expect(s.connected).toEqual(['office']);
});

it('looks for nobody whose shell has not spoken, or has gone', async () => {
  const s = scene(wifi('Café'));
  await s.automatic.look();
  expect(s.connected).toEqual([]);
  await s.automatic.settingsChanged(ALICE);
  expect(s.connected).toEqual([]);
  s.present.clear();
  await s.automatic.noticed(ALICE, false);
  expect(s.connected).toEqual([]);
});

it('goes by the settings of each person', async () => {
  const s = scene(wifi('Café'));
  s.present.add(BOB);
  await s.automatic.noticed(BOB, false);
  expect(s.connected).toEqual([]);
  s.settings.set(BOB, { enabled: true, profile: 'lab', trusted: [] });
  await s.automatic.settingsChanged(BOB);
  expect(s.connected).toEqual(['lab']);
});

it('a network that cannot be read in time is unknown, and so untrusted', async () => {
  const s = scene(wifi('Home'));
  s.reader.hang();
  const noticed = s.automatic.noticed(ALICE, false);
  await s.pass(14_999 + 2_000);
  expect(s.connected).toEqual([]);
  await s.pass(20_000);
  await noticed;
  expect(s.automatic.network).toEqual({ kind: 'unknown', because: 'not-readable' });
  expect(s.connected).toEqual(['office']);
});

it('says why it could not connect', async () => {
  const s = scene(wired('3c:a6:2f:10:0b:0d'));
  s.state.refuse = true;
  await s.automatic.noticed(ALICE, false);
  await s.settle();
  expect(s.notes).toEqual([
    'the network of the router 3c:a6:2f:10:0b:0d is not trusted: connecting with "office"',
    'connecting by itself failed: refused',
  ]);
});
