// What `culvert status` says of algorithms.
import { describe, expect, test } from 'vitest';
import { errorText } from '../../main/cli/io.ts';
import { stateText, statusText, tunnelText } from '../../main/cli/text.ts';
import { EngineError } from '../../main/ipc/error.ts';
import { FAKE_ERROR, fakeTunnel } from '../../main/ipc/fake.ts';
import { FAKE_PROFILES } from '../../main/ipc/fake-data.ts';

const error = {
  ...FAKE_ERROR,
  code: 'ike/no-ike-proposal',
  data: { 'offered.key-exchange': 'ecp256 x25519', 'accepted.key-exchange': 'modp1024' },
};
const IDLE = { version: '1', pid: 1, traffic: null };
const TABLE = [
  '              we offered                          they accept',
  'key-exchange  ecp256 x25519                       modp1024',
].join('\n');

describe('what we offered and what they accept', () => {
  test('behind the error of a command', () => {
    expect(errorText(new EngineError(error))).toContain(`\n\n${TABLE}`);
    expect(errorText(new EngineError(FAKE_ERROR))).not.toContain('they accept');
  });

  test('in the status of a connection that failed', () => {
    const text = statusText({ ...IDLE, engine: { state: 'failed', profile: 'office', error } }, 0);
    expect(text).toContain(TABLE);
    expect(statusText({ ...IDLE, engine: { state: 'disconnected', lastError: error } }, 0)).toContain(TABLE);
  });
});

test('whether the keys are post-quantum, and by what', () => {
  const tunnel = fakeTunnel(FAKE_PROFILES[0]!, 1414, 0);
  expect(tunnelText({ ...tunnel, postQuantum: false })).toMatch(/post-quantum +no$/m);
  const ikeProposal = 'aes256gcm16-prfsha256-ecp256-ke1_mlkem1024';
  expect(tunnelText({ ...tunnel, ikeProposal, postQuantum: true })).toMatch(/post-quantum +yes \(ML-KEM-1024\)$/m);
  expect(tunnelText({ ...tunnel, shape: 'gre-plain' })).not.toContain('post-quantum');
});

test('what is reached beside GRE, and what is not', () => {
  const tunnel = fakeTunnel(FAKE_PROFILES[0]!, 1414, 0);
  expect(tunnelText(tunnel)).not.toContain('beside GRE');
  const direct = [{ prefix: '10.66.0.0/24', espProposal: 'aes256gcm16-esn' }, { prefix: '10.67.0.0/24' }];
  expect(tunnelText({ ...tunnel, direct })).toMatch(
    /beside GRE +10\.66\.0\.0\/24: ESP aes256gcm16-esn\n *beside GRE +10\.67\.0\.0\/24: NOT REACHED/,
  );
});

test('a connection that is held says so, and no time', () => {
  const lost = { state: 'reconnecting', profile: 'office', because: FAKE_ERROR, attempt: 2, retryAt: 5_000 } as const;
  expect(stateText(lost, 1_000)).toContain('attempt 2 in');
  expect(stateText({ ...lost, held: true }, 1_000)).toMatch(/not tried again by itself.*until you connect again/);
  expect(stateText({ ...lost, held: true }, 1_000)).not.toContain('attempt');
});

test('what is refused beside a tunnel, and what is held back while one is made anew', () => {
  const tunnel = fakeTunnel(FAKE_PROFILES[0]!, 1414, 0);
  const blocked = (prefixes: readonly string[]) => ({ ...tunnel, routes: { ...tunnel.routes, blocked: prefixes } });
  expect(tunnelText(blocked([]))).not.toContain('refused');
  expect(tunnelText(blocked(['::/0']))).toMatch(/refused +::\/0 \(no tunnel for it/);
  const connecting = { state: 'connecting', profile: 'office', step: 'sa-init', attempt: 2 } as const;
  expect(statusText({ ...IDLE, engine: connecting, blocked: ['0.0.0.0/0', '::/0'] }, 0)).toMatch(
    /held back +0\.0\.0\.0\/0, ::\/0$/m,
  );
  expect(statusText({ ...IDLE, engine: connecting, blocked: [] }, 0)).not.toContain('held back');
});
