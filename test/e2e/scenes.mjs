// Every page in each of its states: what the engine is at, and what a person has done on the page since. Nothing here
// depends on the language.

const COUNTERS = { outPackets: 48211, inPackets: 90112, inAuthFailed: 2, inReplayDuplicate: 14, outTooBig: 3 };

/** Two minutes of traffic that looks like work: a few downloads, some calls. */
function work(fake, now) {
  const samples = Array.from({ length: 120 }, (_, i) => {
    const wave = 1.5 + Math.sin(i / 9) + 0.4 * Math.sin(i / 2.3);
    const burst = i % 47 < 9 ? 2_400_000 : 0;
    return {
      time: now - (119 - i) * 1000,
      seconds: 1,
      bytesIn: Math.round(220_000 * wave + burst + 90_000),
      bytesOut: Math.round(60_000 * wave + burst / 14 + 20_000),
      packetsIn: 400,
      packetsOut: 260,
      latency: 18 + 3 * Math.sin(i / 5) + (i % 31 === 0 ? 14 : 0),
      loss: i % 40 === 0 ? 0.01 : 0,
    };
  });
  fake.publish('samples', samples);
  const sum = (key) => samples.reduce((total, sample) => total + sample[key], 0) * 30;
  fake.publish('traffic', {
    bytesIn: sum('bytesIn'),
    bytesOut: sum('bytesOut'),
    packetsIn: COUNTERS.inPackets,
    packetsOut: COUNTERS.outPackets,
    counters: COUNTERS,
    lastInboundAgo: 400,
  });
}

/** Up for two minutes, and nobody has used it: the gateway's answers only. */
function calm(fake, now) {
  fake.publish(
    'samples',
    Array.from({ length: 120 }, (_, i) => ({
      time: now - (119 - i) * 1000,
      seconds: 1,
      bytesIn: i % 30 ? 0 : 120,
      bytesOut: i % 30 ? 0 : 120,
      packetsIn: i % 30 ? 0 : 1,
      packetsOut: i % 30 ? 0 : 1,
      latency: i % 30 ? null : 21,
      loss: null,
    })),
  );
  fake.publish('traffic', {
    bytesIn: 4210,
    bytesOut: 3904,
    packetsIn: 31,
    packetsOut: 29,
    counters: { outPackets: 29, inPackets: 31 },
    lastInboundAgo: 9_000,
  });
}

const LOG = [
  ['info', 'session', 'connecting to vpn.example.com (192.0.2.1)'],
  ['debug', 'ike', 'IKE_SA_INIT: 31 proposals offered, aes128gcm16-prfsha256-ecp256 taken'],
  ['info', 'ike', 'authenticated the gateway as vpn.example.com'],
  ['warn', 'net', 'the resolver of this computer could not be changed; names of the office may not resolve'],
  ['error', 'path', 'sending failed: the network is unreachable; trying again in 2 s'],
  ['info', 'session', 'connected: culvert0, MTU 1414'],
];
const log = (fake) => {
  for (const [level, area, text] of LOG) fake.log({ level, area, text });
};

/** As the engine words them. */
const MISTAKES = {
  code: 'profile/unknown-key',
  message:
    'The profile has 2 mistakes:\n  /gatway: is not a key of a profile. Did you mean /gateway?\n  /gateway: is missing. Expected a host name or an address. Example: "vpn.example.com"',
  remedy:
    'Correct the file (docs/profile.md describes every key), or ask the administrator who made it, then import it again.',
};
const PROPOSALS = {
  code: 'ike/no-proposal-chosen',
  message: 'The gateway vpn.example.com accepts none of the algorithms that this computer offers.',
  remedy: 'Ask the administrator which proposals the gateway accepts, and put one of them into the profile.',
  data: {
    'offered.encryption': 'aes128gcm16, aes256gcm16',
    'accepted.encryption': 'aes256',
    'offered.key-exchange': 'ecp256, x25519',
    'accepted.key-exchange': 'modp2048',
  },
};
const REFUSED = {
  code: 'ipc/no-permission',
  message: 'This user may not speak to the engine.',
  remedy: 'Join the group culvert, then log in again.',
};
const PROMPT = {
  id: 'a',
  kind: 'code',
  text: 'Enter the six digits that your app shows now.',
  username: 'alice@example.com',
  gateway: 'vpn.example.com',
  refused: false,
};
const HYBRID = 'aes256gcm16-prfsha384-ecp256-ke1_mlkem768';

/** What the engine tells, by code and in English. */
const told = (code, text, data = {}) => ({ code, data, text });

const connected = (change) => (states) => ({
  ...states.connected,
  tunnel: { ...states.connected.tunnel, ...change },
});
const openProfile = (profiles) => profiles.map((profile) => ({ ...profile, locked: [] }));
const lockedWhole = (profiles) =>
  profiles.map((profile) => ({ ...profile, locked: [{ pointer: '', by: 'Example Ltd, IT' }] }));
const LONG = 'Headquarters, second building, laboratory network (spare)';
const many = ([office, lab]) => [
  {
    ...office,
    name: LONG,
    gateway: 'vpn-gateway-4.laboratories.research.headquarters.example.com',
    identity: 'bartholomew.featherstonehaugh@research.headquarters.example.com',
    locked: [],
    routes: {
      ...office.routes,
      include: Array.from({ length: 14 }, (_, i) => (i % 3 ? `10.${i}.0.0/16` : `2001:db8:${i + 100}:abcd::/64`)),
    },
  },
  office,
  lab,
  { ...lab, name: 'branch' },
];

const status = (fake, change) =>
  fake.publish('status', {
    version: '0.0.0-fake',
    pid: 1,
    engine: fake.state,
    traffic: null,
    blocked: [],
    ...change,
  });

const IMPORT = '[data-act=import] button';
const INCLUDE = '.route-lists > :nth-child(1)';
const TEST = '.mtu-pair > :nth-child(2) > .row .button';
const openImport = ({ press }) => press(IMPORT);
/** The tabs of the import dialog answer to the keyboard and the pointer, not to a click made by a script. */
const tab = (presses) => async (hands) => {
  await openImport(hands);
  await hands.browser.run(`document.querySelector('[role=tab]').focus()`);
  const onwards = (await hands.browser.run('document.dir')) === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
  for (let i = 0; i < presses; i++) await hands.browser.key(onwards);
  await hands.browser.settle();
};
const test =
  (...then) =>
  async (hands) => {
    await hands.press(TEST);
    for (const one of then) {
      await one(hands);
      await hands.browser.settle();
    }
  };
const verdict = (change) => (hands) => {
  hands.fake.advance(5000);
  hands.fake.publish('pathTest', {
    state: 'idle',
    last: {
      path: 1500,
      mtu: 1414,
      assumed: 1500,
      probes: [
        { size: 1500, tries: 3, arrived: false, milliseconds: null },
        { size: 1280, tries: 1, arrived: true, milliseconds: 12 },
        { size: 1392, tries: 2, arrived: true, milliseconds: 13 },
      ],
      roundTrip: 12,
      finished: Date.now(),
      profile: 'office',
      ...change,
    },
  });
};
/** Everything opened that a page keeps closed. */
const unfold = ({ browser }) => browser.run(`for (const one of document.querySelectorAll('details')) one.open = true`);

/**
 * `at`: brought into view. `alike`: for the eye; another scene has the same parts. `floats`: something floats beside what it
 * belongs to, and finds its place when it opens. `traffic`, `before`, `act`: brought about in this
 * order around the page's first drawing.
 */
export const SCENES = {
  'connection-starting': { page: 'connection', up: 'silent', starting: true },
  'connection-refused': {
    page: 'connection',
    before: (fake) => fake.fail('hello', REFUSED),
    act: ({ sees }) => sees('[data-state=refused]'),
  },
  'connection-empty': { page: 'connection', profiles: [] },
  'connection-disconnected': { page: 'connection' },
  'connection-picking': {
    page: 'connection',
    floats: true,
    profiles: many,
    act: ({ press }) => press('.profile-picker .select'),
  },
  'connection-last-error': {
    page: 'connection',
    engine: (_, __, error) => ({ state: 'disconnected', lastError: error }),
  },
  'connection-refusal': {
    page: 'connection',
    alike: true,
    before: (fake, error) => fake.fail('connect', error),
    act: ({ press }) => press('.state-acts .button'),
  },
  ...Object.fromEntries(
    ['resolve', 'socket', 'sa-init', 'auth', 'tun', 'routes'].map((step) => [
      `connection-connecting-${step}`,
      {
        page: 'connection',
        alike: step !== 'auth' && step !== 'tun',
        engine: ({ connecting }) => ({ ...connecting, step, attempt: step === 'tun' ? 2 : 1 }),
      },
    ]),
  ),
  'connection-prompt': { page: 'connection', engine: (states) => ({ ...states.connecting, prompt: PROMPT }) },
  'connection-prompt-refused': {
    page: 'connection',
    engine: (states) => ({ ...states.connecting, prompt: { ...PROMPT, kind: 'password', text: '', refused: true } }),
  },
  'connection-connected': { page: 'connection', state: 'connected', traffic: work },
  'connection-idle': { page: 'connection', alike: true, state: 'connected', traffic: calm },
  'connection-fresh': { page: 'connection', alike: true, engine: connected({ since: Date.now() }) },
  'connection-full': {
    page: 'connection',
    traffic: work,
    engine: connected({
      routes: { include: ['0.0.0.0/0', '::/0'], exclude: [] },
      encapsulation: 'tcp',
      postQuantum: true,
      ikeProposal: HYBRID,
      names: { servers: ['10.0.0.53'], domains: [], how: '' },
    }),
  },
  'connection-unencrypted': {
    page: 'connection',
    alike: true,
    traffic: calm,
    engine: connected({
      shape: 'gre-plain',
      encapsulation: 'raw',
      warnings: [
        told(
          'profile.plain',
          'NO ENCRYPTION: the shape “gre-plain” sends everything readable and changeable by anybody on the way. Laboratories only.',
        ),
      ],
    }),
  },
  'connection-long': {
    page: 'connection',
    profiles: many,
    traffic: work,
    engine: (states) => ({
      ...states.connected,
      profile: LONG,
      tunnel: {
        ...states.connected.tunnel,
        addresses: ['10.88.0.2/24', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff/64'],
        routes: {
          include: Array.from({ length: 14 }, (_, i) => (i % 3 ? `10.${i}.0.0/16` : `2001:db8:${i + 100}:abcd::/64`)),
          exclude: [],
        },
        direct: [{ prefix: '10.200.0.0/16' }],
      },
    }),
  },
  'connection-prompt-again': {
    page: 'connection',
    alike: true,
    traffic: work,
    engine: (states) => ({ ...states.connected, prompt: { ...PROMPT, text: '' } }),
  },
  'connection-reconnecting': {
    page: 'connection',
    state: 'reconnecting',
    traffic: work,
    act: ({ fake }) => status(fake, {}),
  },
  'connection-blocked': { page: 'connection', state: 'reconnecting', traffic: work },
  'connection-held': {
    page: 'connection',
    traffic: work,
    engine: (states) => ({ ...states.reconnecting, held: true }),
  },
  'connection-disconnecting': { page: 'connection', state: 'disconnecting' },
  'connection-failed': { page: 'connection', state: 'failed' },
  'connection-failed-proposals': {
    page: 'connection',
    engine: (states) => ({ ...states.failed, error: PROPOSALS }),
  },
  'connection-toast': {
    page: 'connection',
    state: 'failed',
    act: async ({ browser, press, sees }) => {
      await browser.run(`navigator.clipboard.writeText = () => Promise.reject(new Error('no'))`);
      await press('.problem-foot .button');
      await sees('.toast');
    },
  },
  'connection-unreachable': {
    page: 'connection',
    state: 'connected',
    act: async ({ server, sees }) => {
      server.setUp(false);
      await sees('[data-state=unreachable]');
    },
  },
  'connection-unreachable-wish': {
    page: 'connection',
    before: (fake) => fake.pace(3_600_000),
    act: async ({ server, press, sees }) => {
      await press('.state-acts .button');
      server.setUp(false);
      await sees('[data-state=unreachable]');
    },
  },
  'connection-restarted': {
    page: 'connection',
    state: 'connected',
    act: async ({ fake, sees }) => {
      status(fake, { pid: 2, engine: { state: 'disconnected', lastError: null } });
      await sees('[data-state=disconnected]');
    },
  },

  'profiles-empty': { page: 'profiles', profiles: [] },
  profiles: { page: 'profiles' },
  'profiles-many': { page: 'profiles', profiles: many },
  'profiles-broken': {
    page: 'profiles',
    act: ({ fake, profiles }) =>
      fake.publish('profiles', { profiles: profiles.slice(0, 1), broken: [{ name: 'old', error: MISTAKES }] }),
  },
  'profiles-details': { page: 'profiles', state: 'connected', act: unfold },
  'profiles-import': { page: 'profiles', act: openImport },
  'profiles-import-url': {
    page: 'profiles',
    act: async (hands) => {
      await tab(1)(hands);
      await hands.type('[role=dialog] input[type=url]', 'http://intranet/office.culvert');
      await hands.press('[role=tabpanel] .button');
    },
  },
  'profiles-import-text': { page: 'profiles', act: tab(2) },
  'profiles-dragging': { page: 'profiles', act: ({ drag }) => drag(['dragenter'], '{}') },
  'profiles-preview': {
    page: 'profiles',
    act: async ({ drag, sees }) => {
      await drag(['dragenter', 'drop'], '{"name":"team"}');
      await sees('[role=dialog] .facts');
    },
  },
  'profiles-preview-replace': {
    page: 'profiles',
    alike: true,
    act: async ({ drag, sees }) => {
      await drag(['dragenter', 'drop'], '{"name":"office"}');
      await sees('[role=dialog] .facts');
    },
  },
  'profiles-mistakes': {
    page: 'profiles',
    before: (fake) => fake.fail('preview', MISTAKES),
    act: async ({ drag, sees }) => {
      await drag(['dragenter', 'drop'], '{"gatway":"vpn.example.com"}');
      await sees('[role=dialog] .notice');
    },
  },
  'profiles-too-large': {
    page: 'profiles',
    act: async ({ drag, sees }) => {
      await drag(['dragenter', 'drop'], 'x'.repeat(300_000), 'holiday.jpg');
      await sees('[role=dialog] .notice');
    },
  },
  'profiles-rename': {
    page: 'profiles',
    act: async ({ press, type }) => {
      await press('.profile-acts .button:nth-child(2)');
      await type('[role=dialog] input', 'lab');
    },
  },
  'profiles-remove': { page: 'profiles', act: ({ press }) => press('.profile-acts .button:nth-child(3)') },
  'profiles-remove-in-use': {
    page: 'profiles',
    alike: true,
    state: 'connected',
    act: ({ press }) => press('.profile-acts .button:nth-child(2)'),
  },
  'profiles-away': {
    page: 'profiles',
    state: 'connected',
    act: async ({ server, sees }) => {
      server.setUp(false);
      await sees('.shell-state .dot[data-tone=bad]');
    },
  },

  routes: { page: 'routes', state: 'connected' },
  'routes-empty': { page: 'routes', profiles: [] },
  'routes-disconnected': { page: 'routes', alike: true },
  'routes-full': {
    page: 'routes',
    profiles: ([office]) => [
      {
        ...office,
        locked: [],
        changed: ['/routes/include'],
        routes: { ...office.routes, mode: 'full', include: ['0.0.0.0/0', '::/0', '10.0.0.0/8'] },
      },
    ],
  },
  'routes-locked': { page: 'routes', state: 'connected', profiles: lockedWhole },
  'routes-many': { page: 'routes', alike: true, profiles: many },
  'routes-add': {
    page: 'routes',
    state: 'connected',
    act: async ({ press }) => {
      await press(`${INCLUDE} .card-head .button`);
    },
  },
  'routes-add-wrong': {
    page: 'routes',
    state: 'connected',
    act: async ({ press, type, sees }) => {
      await press(`${INCLUDE} .card-head .button`);
      await type('[role=dialog] input', '10.1.2.3/16');
      await sees('.field-error');
    },
  },
  'routes-edit': {
    page: 'routes',
    profiles: openProfile,
    act: async ({ press, type, sees }) => {
      await press(`${INCLUDE} .route-buttons .button`);
      await type('[role=dialog] input', '10.6.0.0/16');
      await sees('.field-warning');
    },
  },
  'routes-reset': {
    page: 'routes',
    alike: true,
    profiles: ([office]) => [{ ...office, locked: [], changed: ['/routes/include'] }],
    act: ({ press }) => press('.row.end .button'),
  },
  'routes-lookup': {
    page: 'routes',
    state: 'connected',
    at: '.route-lookup',
    act: async ({ press, type, sees }) => {
      await type('.route-lookup input', '10.1.2.3');
      await press('.route-lookup .button');
      await sees('[data-way]');
    },
  },
  'routes-lookup-failed': {
    page: 'routes',
    at: '.route-lookup',
    before: (fake, error) => fake.fail('routeLookup', error),
    act: async ({ press, type, sees }) => {
      await type('.route-lookup input', 'intranet.example.com');
      await press('.route-lookup .button');
      await sees('.notice');
    },
  },

  mtu: { page: 'mtu', state: 'connected' },
  'mtu-bar': { page: 'mtu', alike: true, state: 'connected', at: '.mtu-bar' },
  'mtu-disconnected': { page: 'mtu', alike: true },
  'mtu-locked': { page: 'mtu', state: 'connected', profiles: lockedWhole },
  'mtu-fixed': {
    page: 'mtu',
    alike: true,
    state: 'connected',
    act: async ({ press, type }) => {
      await press('.mtu-pair .radio:nth-child(2) input');
      await type('.mtu-pair form input[type=text]', '1200');
    },
  },
  'mtu-fixed-wrong': {
    page: 'mtu',
    state: 'connected',
    act: async ({ press, type }) => {
      await press('.mtu-pair .radio:nth-child(2) input');
      await type('.mtu-pair form input[type=text]', '12');
    },
  },
  'mtu-small': {
    page: 'mtu',
    alike: true,
    profiles: ([office]) => [{ ...office, mtu: { ...office.mtu, value: 1200 } }],
  },
  'mtu-testing': {
    page: 'mtu',
    state: 'connected',
    at: '[role=progressbar]',
    act: test(({ fake }) => fake.advance(300)),
  },
  'mtu-tested': {
    page: 'mtu',
    alike: true,
    state: 'connected',
    at: '.mtu-pair details',
    act: test(({ fake }) => fake.advance(5000), unfold),
  },
  'mtu-tested-smaller': {
    page: 'mtu',
    alike: true,
    state: 'connected',
    at: '.mtu-pair details',
    act: test(
      verdict({
        path: 1392,
        mtu: 1306,
        verdict: told(
          'path.smaller',
          'Only packets of up to 1392 bytes arrive; the tunnel assumes 1500. Larger ones are lost: downloads and some pages may hang. Use the measured value.',
          { path: 1392, assumed: 1500 },
        ),
      }),
      unfold,
    ),
  },
  'mtu-tested-none': {
    page: 'mtu',
    state: 'connected',
    at: '.mtu-pair',
    act: test(
      verdict({
        path: null,
        mtu: null,
        roundTrip: null,
        probes: [],
        verdict: told(
          'path.none',
          'No test packet came back. The gateway may not answer them, or the network loses them; ask your administrator, or try another network.',
        ),
      }),
    ),
  },
  'mtu-test-failed': {
    page: 'mtu',
    state: 'connected',
    at: '.mtu-pair',
    before: (fake, error) => fake.fail('pathTest', error),
    act: test(({ sees }) => sees('.mtu-pair .notice')),
  },

  diagnostics: { page: 'diagnostics', state: 'failed' },
  'diagnostics-connected': { page: 'diagnostics', alike: true, state: 'connected', traffic: log },
  'diagnostics-log': { page: 'diagnostics', state: 'connected', at: '.log', traffic: log },
  'diagnostics-no-match': {
    page: 'diagnostics',
    alike: true,
    state: 'connected',
    at: '.log-filter',
    traffic: log,
    act: ({ type }) => type('.log-filter input', 'nothing like this'),
  },
  'diagnostics-report': {
    page: 'diagnostics',
    state: 'connected',
    at: '.report',
    act: async ({ press, sees }) => {
      await press('.page > :last-child > .row .button');
      await sees('.report');
    },
  },
  'diagnostics-failed': { page: 'diagnostics', before: (fake, error) => fake.fail('checks', error) },

  settings: { page: 'settings' },
  'settings-shell': {
    page: 'settings',
    shell: true,
    act: ({ fake }) =>
      fake.publish('settings', {
        startAtLogin: true,
        connectAtStart: 'office',
        autoConnect: { enabled: true, profile: null, trusted: ['Home', 'Café de la Gare'] },
        theme: 'system',
        language: 'system',
      }),
  },
  'settings-language': { page: 'settings', floats: true, act: ({ press }) => press('.select') },
};
