// Every way that a connection can fail to come up has one exit code (docs/cli.md).
import { expect, it } from 'vitest';
import { Exit, exitCodeOf } from '../../main/cli/exit.ts';
import { EngineError } from '../../main/ipc/error.ts';

it.each([
  ['ike/no-response', Exit.CONNECTION],
  ['net/unreachable', Exit.CONNECTION],
  ['session/host-not-found', Exit.CONNECTION],
  ['eap/credentials-refused', Exit.CONNECTION],
  ['profile/syntax', Exit.PROFILE],
  ['daemon/already-running', Exit.BUSY],
  ['ipc/not-running', Exit.NOT_RUNNING],
  ['ipc/no-permission', Exit.NO_PERMISSION],
  ['ipc/internal', Exit.FAILED],
])('%s ends with %i', (code, exit) => {
  expect(exitCodeOf(new EngineError({ code, message: '', remedy: '' }))).toBe(exit);
});
