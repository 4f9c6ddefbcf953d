// What a typed MTU and a path test lead to, in words.
import { describe, expect, it } from 'vitest';
import { CALLS, checkStrict } from '../../../../main/ipc/contract.ts';
import { createTranslate } from '../../../../renderer/i18n/translate.ts';
import { judgeMtu, LEAST_MTU, MOST_MTU, resultOf } from '../../../../renderer/views/mtu/verdict.ts';

const t = createTranslate('en');
const judge = (typed: string) => judgeMtu(typed, { computed: 1414 }, t);

describe('judgeMtu', () => {
  it('accepts exactly what the contract accepts', () => {
    for (const value of [LEAST_MTU - 1, LEAST_MTU, 1279, 1280, 1414, 1415, MOST_MTU, MOST_MTU + 1]) {
      const refused = checkStrict<unknown>(CALLS.setMtu.params, { profile: 'p', choice: { mode: 'fixed', value } });
      expect([value, judge(String(value)).value === null]).toEqual([value, refused !== null]);
    }
  });

  it.each(['', ' ', '14a', '-1400', '1400.5', '1e3', '99999999'])('refuses %j', (typed) => {
    expect(judge(typed)).toMatchObject({ value: null, warnings: [] });
    expect(judge(typed).error).not.toBeNull();
  });

  it('says nothing about the value that fits', () => {
    expect(judge(' 1414 ')).toEqual({ value: 1414, error: null, warnings: [] });
  });

  it('warns of too much, of too little, and of IPv6', () => {
    expect(judge('1500').warnings).toEqual([t('mtu.value.tooLarge', { over: 86, computed: 1414 })]);
    expect(judge('1280').warnings).toEqual([t('mtu.value.small', { under: 134 })]);
    expect(judge('1279').warnings).toEqual([t('mtu.value.small', { under: 135 }), t('mtu.value.noIpv6')]);
  });
});

describe('resultOf', () => {
  it.each([
    [null, 'none'],
    [1500, 'fits'],
    [1420, 'smaller'],
    [1600, 'larger'],
  ] as const)('%j against 1500 is %s', (path, kind) => {
    expect(resultOf({ path, assumed: 1500 }).kind).toBe(kind);
  });
});
