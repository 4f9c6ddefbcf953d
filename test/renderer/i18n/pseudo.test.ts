// The interface turned round for development, and what keeps addresses whole in a sentence from the right.
import { expect, it } from 'vitest';
import { createI18n } from '../../../renderer/i18n/context.tsx';
import { isolated, mirrored, pseudoOf } from '../../../renderer/i18n/pseudo.ts';

it('is asked for by the address', () => {
  expect(pseudoOf('?pseudo=rtl')).toBe('rtl');
  expect(pseudoOf('?pseudo=other')).toBeNull();
  expect(pseudoOf('')).toBeNull();
});

it('turns words round, and neither numbers nor what is isolated', () => {
  expect(mirrored('Next try in 8 s')).toBe('\u202eNext\u202c \u202etry\u202c \u202ein\u202c 8 \u202es\u202c');
  expect(mirrored(`to ${isolated('vpn.example.com')}`)).toBe('\u202eto\u202c \u2068vpn.example.com\u2069');
});

it('isolates an address and a number once', () => {
  const { t, f, direction } = createI18n('en', 'rtl');
  expect(direction).toBe('rtl');
  expect(t('connection.connecting', { profile: 'office' })).toContain('\u2068office\u2069');
  expect(f.milliseconds(12)).toBe('\u206812 ms\u2069');
  expect(t('connection.nextTry', { time: f.duration(8000) })).toContain(' \u20688 sec\u2069');
});

it('leaves languages from the left as they are', () => {
  const { t, f, direction } = createI18n('en');
  expect(direction).toBe('ltr');
  expect(t('connection.connecting', { profile: 'office' })).toBe('Connecting to office');
  expect(f.milliseconds(12)).toBe('12 ms');
});
