import { describe, expect, it } from 'vitest';
import { createFormat } from '../../../renderer/i18n/format.ts';
import { preferredLanguage } from '../../../renderer/i18n/languages.ts';
import { createTranslate } from '../../../renderer/i18n/translate.ts';
import { languageOf } from '../../../renderer/store/preferences.ts';

/** ICU puts narrow and no-break spaces where it likes. */
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ');

describe('format', () => {
  const en = createFormat('en');
  const de = createFormat('de');

  it('scales bytes and rates at the right place', () => {
    expect([0, 1, 999, 1000, 1234, 999_499, 999_500, 5_432_100_000].map((n) => plain(en.bytes(n)))).toEqual([
      '0 byte',
      '1 byte',
      '999 byte',
      '1 kB',
      '1.23 kB',
      '999 kB',
      '1 MB',
      '5.43 GB',
    ]);
    expect(plain(de.bytes(1_234_000))).toBe('1,23 MB');
    expect(plain(en.rate(2_500_000))).toBe('2.5 Mb/s');
  });

  it('rounds shares as a person reads them', () => {
    expect([0, 0.000_252, 0.001, 0.0126, 0.057, 0.5, 1].map((ratio) => plain(en.percent(ratio)))).toEqual([
      '0%',
      '<0.1%',
      '0.1%',
      '1.3%',
      '5.7%',
      '50%',
      '100%',
    ]);
    expect(plain(de.percent(0.000_252))).toBe('<0,1 %');
  });

  it('writes durations and clocks', () => {
    expect([0, 41_000, 125_000, 3_600_000, 90_061_000].map((ms) => plain(en.duration(ms)))).toEqual([
      '0 sec',
      '41 sec',
      '2 min 5 sec',
      '1 hr',
      '1 day 1 hr',
    ]);
    expect([0, 59_999, 3_661_000, 360_000_000].map((ms) => en.clock(ms))).toEqual([
      '0:00:00',
      '0:00:59',
      '1:01:01',
      '100:00:00',
    ]);
  });
});

describe('translate', () => {
  it('fills placeholders and picks plurals by the language', () => {
    const en = createTranslate('en');
    const fr = createTranslate('fr');
    expect(en('connection.packets', { count: 1 })).toBe('1 packet');
    expect(en('connection.packets', { count: 0 })).toBe('0 packets');
    expect(fr('connection.packets', { count: 0 })).toBe('0 paquet');
    expect(plain(fr('connection.packets', { count: 12_345 }))).toBe('12 345 paquets');
    expect(createTranslate('zh')('connection.packets', { count: 5 })).toBe('5 个数据包');
    expect(createTranslate('de')('connection.connected', { profile: '{x}' })).toBe('Mit {x} verbunden');
  });

  it('finds the language that a person reads', () => {
    expect(preferredLanguage(['pt-BR', 'de-AT', 'en'])).toBe('de');
    expect(preferredLanguage(['zh-CN'])).toBe('zh');
    expect(preferredLanguage([])).toBe('en');
    expect(languageOf('zh-Hans', ['fr'])).toBe('zh');
    expect(languageOf('system', ['fr-CA'])).toBe('fr');
  });
});
