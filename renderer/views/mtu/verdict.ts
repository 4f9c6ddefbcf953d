// What follows from a value that somebody types, and from a path test: pure, in words' keys.
import type { MtuView, PathTestResult } from '../../../main/ipc/contract.ts';
import type { Translate } from '../../i18n/translate.ts';

/** As the contract bounds it. */
export const LEAST_MTU = 576;
export const MOST_MTU = 8192;
/** RFC 8200 §5. */
export const IPV6_MINIMUM = 1280;

export interface Judgement {
  /** The value, where it can be set. */
  readonly value: number | null;
  readonly error: string | null;
  readonly warnings: readonly string[];
}

export function judgeMtu(typed: string, { computed }: Pick<MtuView, 'computed'>, t: Translate): Judgement {
  const text = typed.trim();
  if (!/^\d{1,6}$/.test(text)) return { value: null, error: t('mtu.value.notNumber', { computed }), warnings: [] };
  const value = Number(text);
  if (value < LEAST_MTU || value > MOST_MTU)
    return { value: null, error: t('mtu.value.bounds', { least: LEAST_MTU, most: MOST_MTU }), warnings: [] };
  const warnings: string[] = [];
  if (value > computed) warnings.push(t('mtu.value.tooLarge', { over: value - computed, computed }));
  else if (value < computed) warnings.push(t('mtu.value.small', { under: computed - value }));
  if (value < IPV6_MINIMUM) warnings.push(t('mtu.value.noIpv6'));
  return { value, error: null, warnings };
}

/** `none`: no probe came back. The others compare what was measured with what the tunnel assumes. */
export function resultOf({ path, assumed }: Pick<PathTestResult, 'path' | 'assumed'>): {
  readonly kind: 'none' | 'fits' | 'smaller' | 'larger';
} {
  if (path === null) return { kind: 'none' };
  if (path === assumed) return { kind: 'fits' };
  return { kind: path < assumed ? 'smaller' : 'larger' };
}
