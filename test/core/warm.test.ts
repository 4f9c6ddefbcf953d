import { expect, it } from 'vitest';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { warmCore } from '../../main/core/warm.ts';

it('warming really carries packets both ways, of both lengths and ciphers, and ends', () => {
  // 16 packets and a lone one of each length for each cipher: one round, however slow the machine.
  expect(warmCore(loadCoreModuleSync(), 0)).toBe((16 + 1) * 2 * 2);
});
