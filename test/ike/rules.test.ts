import { describe, expect, test } from 'vitest';
import { Exchange, type ExchangeType, type Message } from '../../main/ike/message.ts';
import { isErrorNotify, NotifyType, notifyName } from '../../main/ike/notify.ts';
import type { Payload } from '../../main/ike/payload/payload.ts';
import { checkMessage, formOf, notifiesOf } from '../../main/ike/rules.ts';

const none = new Uint8Array(0);
const P = {
  sa: { kind: 'sa', proposals: [] },
  ke: { kind: 'ke', method: 19, data: none },
  nonce: { kind: 'nonce', data: new Uint8Array(16) },
  idi: { kind: 'idi', identity: { type: 'fqdn', text: 'a' } },
  idr: { kind: 'idr', identity: { type: 'fqdn', text: 'b' } },
  auth: { kind: 'auth', method: 2, data: none },
  cert: { kind: 'cert', encoding: 4, data: none },
  certreq: { kind: 'certreq', encoding: 4, data: none },
  cp: { kind: 'cp', type: 'request', attributes: [] },
  tsi: { kind: 'tsi', selectors: [] },
  tsr: { kind: 'tsr', selectors: [] },
  delete: { kind: 'delete', protocol: 1, spis: [] },
  eap: { kind: 'eap', data: none },
  puzzle: { kind: 'puzzle', data: new Uint8Array(16) },
  vendor: { kind: 'vendor', data: none },
  notify: { kind: 'notify', protocol: 0, spi: none, type: NotifyType.COOKIE, data: none },
  unknown: { kind: 'unknown', type: 99, critical: false, data: none },
  critical: { kind: 'unknown', type: 98, critical: true, data: none },
  encrypted: { kind: 'encrypted', body: none },
} as const satisfies Record<string, Payload>;

type Name = keyof typeof P;

function message(exchange: ExchangeType, direction: 'request' | 'response', words: string): Message {
  return {
    header: {
      SPIi: 1n,
      SPIr: 2n,
      exchange,
      initiator: direction === 'request',
      response: direction === 'response',
      messageId: 0,
    },
    payloads: words
      .split(' ')
      .filter((word) => word)
      .map((word) => P[word as Name]),
    protected: exchange !== Exchange.IKE_SA_INIT && exchange !== Exchange.IKE_SESSION_RESUME,
  };
}

const { IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL, IKE_INTERMEDIATE, IKE_FOLLOWUP_KE, IKE_SESSION_RESUME } =
  Exchange;

// RFC 7296 Appendix C lists what may be in a message.
describe('legal', () => {
  test.each([
    [IKE_SA_INIT, 'request', 'sa ke nonce', 'normal'],
    [IKE_SA_INIT, 'request', 'notify sa ke nonce notify notify vendor unknown', 'normal'],
    [IKE_SA_INIT, 'request', 'nonce ke sa', 'normal'],
    [IKE_SA_INIT, 'response', 'sa ke nonce certreq notify', 'normal'],
    [IKE_SA_INIT, 'response', 'notify', 'refusal'],
    [IKE_AUTH, 'request', 'idi auth sa tsi tsr', 'normal'],
    [IKE_AUTH, 'request', 'idi cert certreq idr auth cp sa tsi tsr notify vendor', 'normal'],
    [IKE_AUTH, 'request', 'idi sa tsi tsr', 'normal'],
    [IKE_AUTH, 'request', 'idi auth', 'childless'],
    [IKE_AUTH, 'request', 'eap', 'eap'],
    [IKE_AUTH, 'request', 'auth', 'eap-end'],
    [IKE_AUTH, 'response', 'idr cert auth cp sa tsi tsr notify', 'normal'],
    [IKE_AUTH, 'response', 'idr auth notify', 'childless'],
    [IKE_AUTH, 'response', 'idr cert auth eap', 'eap'],
    [IKE_AUTH, 'response', 'eap', 'eap'],
    [IKE_AUTH, 'response', 'auth cp sa tsi tsr', 'eap-end'],
    [IKE_AUTH, 'response', 'notify', 'refusal'],
    [CREATE_CHILD_SA, 'request', 'notify sa nonce tsi tsr', 'normal'],
    [CREATE_CHILD_SA, 'request', 'sa nonce ke tsi tsr', 'normal'],
    [CREATE_CHILD_SA, 'request', 'sa nonce ke', 'rekey-ike'],
    [CREATE_CHILD_SA, 'response', 'sa nonce ke tsi tsr', 'normal'],
    [CREATE_CHILD_SA, 'response', 'sa nonce ke', 'rekey-ike'],
    [CREATE_CHILD_SA, 'response', 'notify', 'refusal'],
    [INFORMATIONAL, 'request', '', 'normal'],
    [INFORMATIONAL, 'response', '', 'normal'],
    [INFORMATIONAL, 'request', 'delete delete notify cp', 'normal'],
    [IKE_INTERMEDIATE, 'request', 'ke', 'normal'],
    [IKE_INTERMEDIATE, 'response', 'ke notify', 'normal'],
    [IKE_FOLLOWUP_KE, 'request', 'ke notify', 'normal'],
    [IKE_FOLLOWUP_KE, 'response', 'notify', 'refusal'],
    [IKE_SESSION_RESUME, 'request', 'notify nonce puzzle notify', 'normal'],
    [IKE_SESSION_RESUME, 'response', 'nonce notify', 'normal'],
    [IKE_SESSION_RESUME, 'response', 'notify', 'refusal'],
  ] as const)('%s %s: %s (%s)', (exchange, direction, words, form) => {
    expect(checkMessage(message(exchange, direction, words))).toBeUndefined();
    expect(formOf(message(exchange, direction, words))).toBe(form);
  });
});

describe('illegal', () => {
  test.each([
    [IKE_SA_INIT, 'request', 'ke nonce', '"sa" is missing'],
    [IKE_SA_INIT, 'request', 'notify', '"sa" is missing'],
    [IKE_SA_INIT, 'request', 'sa ke nonce nonce', '2 of "nonce"'],
    [IKE_SA_INIT, 'request', 'sa ke nonce auth', '1 of "auth", at most 0'],
    [IKE_SA_INIT, 'response', '', '"sa" is missing'],
    [IKE_SA_INIT, 'response', 'sa nonce', '"ke" is missing'],
    [IKE_AUTH, 'request', 'idi auth sa tsi', '"tsr" is missing'],
    [IKE_AUTH, 'request', 'auth sa tsi tsr', '"idi" is missing'],
    [IKE_AUTH, 'request', '', '"idi" is missing'],
    [IKE_AUTH, 'response', 'idr sa tsi tsr', '"auth" is missing'],
    [IKE_AUTH, 'response', 'idr auth auth sa tsi tsr', '2 of "auth"'],
    [IKE_AUTH, 'response', '', '"idr" is missing'],
    [CREATE_CHILD_SA, 'request', 'sa ke', '"nonce" is missing'],
    [CREATE_CHILD_SA, 'response', '', '"nonce" is missing'],
    [INFORMATIONAL, 'request', 'sa', '1 of "sa", at most 0'],
    [INFORMATIONAL, 'request', 'encrypted', '1 of "encrypted"'],
    [IKE_FOLLOWUP_KE, 'request', '', '"ke" is missing'],
  ] as const)('%s %s: %s', (exchange, direction, words, problem) => {
    const violation = checkMessage(message(exchange, direction, words));
    expect(violation).toMatchObject({ kind: 'payloads', notify: NotifyType.INVALID_SYNTAX });
    expect(violation?.text).toContain(problem);
    expect(formOf(message(exchange, direction, words))).toBeUndefined();
  });

  test('too many of anything', () => {
    for (const word of ['notify', 'vendor', 'unknown', 'delete'])
      expect(checkMessage(message(INFORMATIONAL, 'request', `${word} `.repeat(33)))).toMatchObject({
        kind: 'payloads',
      });
    expect(checkMessage(message(INFORMATIONAL, 'request', 'notify '.repeat(32)))).toBeUndefined();
  });

  test('an unknown critical payload, before all else (RFC 7296 §2.5)', () => {
    expect(checkMessage(message(IKE_AUTH, 'request', 'critical'))).toEqual({
      kind: 'critical',
      notify: NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD,
      payloadType: 98,
      text: 'IKE_AUTH request has a critical payload of unknown type 98',
    });
  });

  test('in the clear what must be protected, and the reverse', () => {
    const auth = message(IKE_AUTH, 'request', 'idi auth sa tsi tsr');
    expect(checkMessage({ ...auth, protected: false })).toMatchObject({ kind: 'protection', notify: undefined });
    const init = message(IKE_SA_INIT, 'request', 'sa ke nonce');
    expect(checkMessage({ ...init, protected: true })).toMatchObject({ kind: 'protection' });
  });
});

describe('notifies', () => {
  const notify = (type: number): Payload => ({ ...P.notify, type });

  test('those that mean nothing in the exchange are left out, errors never', () => {
    const types = [
      NotifyType.COOKIE,
      NotifyType.USE_TRANSPORT_MODE,
      NotifyType.NO_PROPOSAL_CHOSEN,
      40960,
      8192,
      NotifyType.NAT_DETECTION_SOURCE_IP,
    ];
    const counted = (exchange: ExchangeType) =>
      notifiesOf({ ...message(exchange, 'response', 'vendor'), payloads: types.map(notify) }).map(({ type }) => type);
    expect(counted(IKE_SA_INIT)).toEqual([16390, 14, 8192, 16388]);
    expect(counted(IKE_AUTH)).toEqual([16391, 14, 8192]);
  });

  test('have the names of the registry', () => {
    expect(notifyName(14)).toBe('NO_PROPOSAL_CHOSEN');
    expect(notifyName(16391)).toBe('USE_TRANSPORT_MODE');
    expect(notifyName(16441)).toBe('ADDITIONAL_KEY_EXCHANGE');
    expect(notifyName(9999)).toBe('error 9999');
    expect(notifyName(50000)).toBe('status 50000');
    expect([0, 16383, 16384].map(isErrorNotify)).toEqual([true, true, false]);
    expect(new Set(Object.values(NotifyType)).size).toBe(Object.keys(NotifyType).length);
  });
});
