// The sentence that says what a tunnel carries: never more than is true.
import { expect, it } from 'vitest';
import { createI18n } from '../../../../renderer/i18n/context.tsx';
import { carriesText } from '../../../../renderer/views/connection/carries.tsx';

const { t, f } = createI18n('en');
const told = (include: readonly string[], exclude: readonly string[] = []): string =>
  carriesText({ include, exclude }, t, f);

it('names the networks of a split tunnel', () => {
  expect(told(['10.0.0.0/8'])).toBe('Through the tunnel: 10.0.0.0/8. Everything else goes its usual way.');
  expect(told(['10.0.0.0/8', '172.16.0.0/12'])).toContain('10.0.0.0/8 and 172.16.0.0/12.');
  expect(told(['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'])).toContain('10.1.0.0/16, 10.2.0.0/16, and 10.3.0.0/16.');
});

it('counts what a sentence does not hold', () => {
  const many = Array.from({ length: 14 }, (_, i) => `10.${i}.0.0/16`);
  expect(told(many)).toContain('10.0.0.0/16, 10.1.0.0/16, and 12 more.');
});

it('says that traffic goes through, and what does not', () => {
  expect(told(['0.0.0.0/0', '::/0'])).toBe('Traffic goes through the tunnel.');
  expect(told(['0.0.0.0/0'], ['10.9.0.0/16'])).toBe('Traffic goes through the tunnel, apart from 10.9.0.0/16.');
});

it('says that nothing goes through', () => {
  expect(told([])).toBe('No network goes through the tunnel.');
});
