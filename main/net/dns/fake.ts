// Name servers for tests and for the unprivileged demo: remembers what is desired, changes nothing.
import type { NetError } from '../error.ts';
import type { DesiredDns, DnsSettings } from './api.ts';

export interface FakeDnsSettings extends DnsSettings {
  /** What holds now; undefined: nothing. */
  readonly desired: DesiredDns | undefined;
  /** "apply", "close" and "cleanUp" in the order they came. */
  readonly calls: string[];
  /** What the next applies return, in order. An apply that fails changes nothing. */
  readonly errors: NetError[];
}

export function fakeDnsSettings(): FakeDnsSettings {
  let desired: DesiredDns | undefined;
  const calls: string[] = [];
  const errors: NetError[] = [];
  return {
    calls,
    errors,
    get desired() {
      return desired;
    },
    apply: async (wanted) => {
      calls.push('apply');
      const error = errors.shift();
      if (error) return error;
      desired = wanted;
      return { how: 'nowhere: this is a fake' };
    },
    outside: async () => null,
    close: async () => {
      calls.push('close');
      desired = undefined;
    },
    cleanUp: async () => {
      calls.push('cleanUp');
      desired = undefined;
      return [];
    },
  };
}
