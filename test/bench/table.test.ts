import { describe, expect, test } from 'vitest';
import { figure, percentile, ratio, spread, table, withRange } from './table.ts';

describe('figures', () => {
  test.each([
    [12_345.6, '12 346'],
    [999.6, '1 000'],
    [123.4, '123'],
    [99.96, '100'],
    [9.996, '10.0'],
    [12.34, '12.3'],
    [1.234, '1.23'],
    [0.1234, '0.123'],
    [-6.13, '-6.13'],
    [0, '0.000'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d reads %s', (value, text) => expect(figure(value)).toBe(text));

  test('a ratio to nothing is a dash', () => {
    expect(ratio(2.345)).toBe('2.35×');
    expect(ratio(1 / 0)).toBe('–');
  });
});

describe('samples', () => {
  test('median of odd and even counts, whatever their order', () => {
    expect(spread([10, 2, 9])).toEqual({ median: 9, min: 2, max: 10 });
    expect(spread([10, 2, 9, 4])).toEqual({ median: 6.5, min: 2, max: 10 });
    expect(() => spread([])).toThrow('no samples');
  });

  test('percentiles are nearest ranks', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([1, 2], 0)).toBe(1);
    expect(() => percentile([], 0.5)).toThrow('no samples');
  });

  test('a range is left out where there is none', () => {
    expect(withRange(spread([5]))).toBe('5.00');
    expect(withRange(spread([5, 6, 4]))).toBe('5.00 (4.00-6.00)');
  });
});

test('columns line up: names left, numbers right, no blanks at the end', () => {
  expect(
    table(
      [['', 'up', 'down']],
      [
        ['long name', '1', '22'],
        ['b', '333', ''],
      ],
    ),
  ).toBe(['            up  down', '--------------------', 'long name    1    22', 'b          333'].join('\n'));
});
