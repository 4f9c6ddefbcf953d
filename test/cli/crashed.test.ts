// What people are told who find no engine.
import { expect, it } from 'vitest';
import { explainCrash } from '../../main/cli/crashed.ts';
import { ipcError } from '../../main/ipc/error.ts';

const gone = ipcError('ipc/not-running', 'The engine is not running.', 'Start it.', { path: '/x' });
const refused = ipcError('ipc/no-permission', 'You may not.', 'Join.', { path: '/x' });

it('says that traffic may still be blocked, and how to get the network back, where an engine was killed', async () => {
  const connect = explainCrash(
    () => Promise.reject(gone),
    () => true,
  );
  await expect(connect('/x')).rejects.toMatchObject({
    code: 'ipc/not-running',
    message: 'The engine is not running. The one that ran before was killed.',
    remedy: expect.stringMatching(/still blocked.*sudo culvert daemon/),
    data: { path: '/x' },
  });
});

it('changes nothing else', async () => {
  for (const [error, left] of [
    [gone, false],
    [refused, true],
  ] as const)
    await expect(
      explainCrash(
        () => Promise.reject(error),
        () => left,
      )('/x'),
    ).rejects.toBe(error);
  expect(
    await explainCrash(
      async (path) => path,
      () => true,
    )('/x'),
  ).toBe('/x');
});
