// Every code of the engine's closed unions has its text: a code that is new does not compile here before it stands in a table, and
// fails below before it has a text. What has none is shown in the engine's own words.
import { expect, it } from 'vitest';
import type { EapReason } from '../../../main/eap/error.ts';
import type { IkeErrorCode } from '../../../main/ike/error.ts';
import type { NetErrorCode } from '../../../main/net/error.ts';
import type { ProfileErrorCode } from '../../../main/profile/problem.ts';
import type { SessionCode } from '../../../main/session/failure.ts';
import { LANGUAGES } from '../../../main/words/languages.ts';
import { createSpeaker } from '../../../main/words/say.ts';

const IKE: Readonly<Record<IkeErrorCode, true>> = {
  'no-response': true,
  protocol: true,
  'no-ike-proposal': true,
  'no-child-proposal': true,
  'refused-by-peer': true,
  'peer-not-authentic': true,
  'peer-identity-mismatch': true,
  'authentication-mismatch': true,
  eap: true,
  'traffic-selectors': true,
  'no-address': true,
  'mode-refused': true,
  'peer-error': true,
  'data-plane': true,
  configuration: true,
};
const EAP: Readonly<Record<EapReason, true>> = {
  'credentials-refused': true,
  'code-refused': true,
  'password-expired': true,
  'account-restricted': true,
  refused: true,
  'no-common-method': true,
  'server-not-authentic': true,
  'server-certificate': true,
  'client-certificate': true,
  tls: true,
  'gateway-unproven': true,
  protocol: true,
  'prompt-cancelled': true,
  'prompt-timed-out': true,
  'prompt-withdrawn': true,
  'nobody-to-ask': true,
  configuration: true,
};
const NET: Readonly<Record<NetErrorCode, true>> = {
  'no-permission': true,
  'no-tun-device': true,
  'name-taken': true,
  'address-in-use': true,
  unreachable: true,
  'command-failed': true,
  'command-missing': true,
  unsupported: true,
  'system-call': true,
};
const PROFILE: Readonly<Record<ProfileErrorCode, true>> = {
  syntax: true,
  version: true,
  'unknown-key': true,
  missing: true,
  invalid: true,
  conflict: true,
  secret: true,
  exists: true,
  'not-found': true,
  name: true,
  store: true,
};
const SESSION: Readonly<Record<SessionCode, true>> = {
  'session/host-not-found': true,
  'session/timed-out': true,
  'session/moved': true,
  'session/gateway-did-not-wait': true,
  'session/no-tunnel-address': true,
  'session/delivery-address': true,
  'session/selectors-too-narrow': true,
  'session/carries-gre-only': true,
  'session/too-many-selectors': true,
  'session/deleted-by-gateway': true,
  'session/redirected': true,
  'session/closed': true,
  'session/stream-closed': true,
  'session/worker-died': true,
  'session/key-used-up': true,
  'session/data-plane': true,
  'session/path-too-small': true,
  'session/internal': true,
};
const CODES = [
  ...Object.keys(IKE).map((code) => `ike/${code}`),
  ...Object.keys(EAP).map((reason) => `eap/${reason}`),
  ...Object.keys(NET).map((code) => `net/${code}`),
  ...Object.keys(PROFILE).map((code) => `profile/${code}`),
  ...Object.keys(SESSION),
  // Those that are always said in the same words are in the table by their type (ErrorCode); these are not.
  ...['daemon/settings', 'profile/url', 'profile/fetch', 'profile/too-many', 'ipc/not-allowed', 'engine/unsupported'],
  ...['ipc/bad-message', 'ipc/unknown-call', 'ipc/bad-params', 'ipc/busy', 'ipc/internal', 'ipc/socket'],
];

const OWN = { message: 'its own words', remedy: 'its own advice', data: { most: 200 } };

it.each(LANGUAGES.filter((language) => language !== 'en'))('every code has its text in %s', (language) => {
  const { explain } = createSpeaker(language);
  const untold = CODES.filter((code) => {
    const { what, remedy, detail, lang } = explain({ code, ...OWN });
    return what === OWN.message || remedy === OWN.remedy || detail !== OWN.message || lang !== undefined;
  });
  expect(untold).toEqual([]);
});

it.each(LANGUAGES)('a code that is not known is told in the engine’s own words, marked as English (%s)', (language) => {
  expect(createSpeaker(language).explain({ code: 'pki/new', ...OWN })).toEqual({
    what: OWN.message,
    remedy: OWN.remedy,
    detail: null,
    lang: language === 'en' ? undefined : 'en',
  });
});
