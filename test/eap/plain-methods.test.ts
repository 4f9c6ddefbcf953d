import { describe, expect, it } from 'vitest';
import type { EapMethodName } from '../../main/eap/types.ts';
import { converse, hex, numbersFrom, peerOf, secretsOf, serverOf } from './conversation.ts';

describe('a method without a tunnel', () => {
  it.each<[EapMethodName, boolean]>([
    ['mschapv2', true],
    ['gtc', false],
    ['md5', false],
  ])('%s lets the right password in', async (method, makesKeys) => {
    const { secrets, asked } = secretsOf(['correct horse']);
    const { peer, server } = await converse(peerOf({ methods: [method] }, secrets), serverOf({ methods: [method] }));
    expect(server).toMatchObject({ state: 'success', identity: 'alice' });
    if (peer.state !== 'success' || server.state !== 'success') throw new Error('no success');
    expect(peer.msk?.length).toBe(makesKeys ? 64 : undefined);
    expect(hex(peer.msk)).toBe(hex(server.msk));
    expect(asked).toEqual(['password']);
  });

  it.each<EapMethodName>(['mschapv2', 'gtc', 'md5'])('%s refuses a wrong password, and says so', async (method) => {
    const { secrets } = secretsOf(['wrong']);
    const { peer, server } = await converse(peerOf({ methods: [method] }, secrets), serverOf({ methods: [method] }));
    expect(server.state).toBe('failure');
    expect(peer).toMatchObject({ state: 'failure', error: { code: 'eap', reason: 'credentials-refused' } });
  });

  it('asks for the password once more where the server allows it', async () => {
    const { secrets, asked } = secretsOf(['wrong', 'correct horse']);
    const { peer, server } = await converse(peerOf({}, secrets), serverOf());
    expect([peer.state, server.state]).toEqual(['success', 'success']);
    expect(asked).toEqual(['password', 'password again']);
  });

  it('shows the prompt of a one-time code without its control characters', async () => {
    const { secrets, asked } = secretsOf([], ['123456']);
    const server = serverOf({
      methods: ['otp'],
      prompt: '\u001b[31mType\r\n the\u202e code\u0000',
      account: () => ({ password: 'never', acceptsCode: (code) => code === '123456' }),
    });
    const { peer } = await converse(peerOf({ methods: ['otp'] }, secrets), server);
    expect(peer.state).toBe('success');
    expect(asked).toEqual(['code: [31mType the code']);
  });

  it('bounds the prompt', async () => {
    const { secrets, asked } = secretsOf([], ['1']);
    await converse(peerOf({ methods: ['otp'] }, secrets), serverOf({ methods: ['otp'], prompt: 'x'.repeat(5000) }));
    expect(asked[0]!.length).toBeLessThanOrEqual(206);
  });

  it('ends where the person cancels', async () => {
    const { secrets } = secretsOf([null]);
    const { peer } = await converse(peerOf({}, secrets), serverOf());
    expect(peer).toMatchObject({ state: 'failure', error: { reason: 'prompt-cancelled' } });
  });

  it('moves on to a method that both allow', async () => {
    const { secrets } = secretsOf(['correct horse']);
    const { peer } = await converse(
      peerOf({ methods: ['mschapv2', 'gtc'] }, secrets),
      serverOf({ methods: ['md5', 'gtc', 'mschapv2'] }),
    );
    expect(peer.state).toBe('success');
    if (peer.state === 'success') expect(peer.msk).toBeUndefined();
  });

  it('names what the server offers where nothing is in common', async () => {
    const { secrets, asked } = secretsOf(['correct horse']);
    const { peer } = await converse(peerOf({ methods: ['mschapv2'] }, secrets), serverOf({ methods: ['md5', 'gtc'] }));
    expect(peer).toMatchObject({ state: 'failure', error: { reason: 'no-common-method', offered: ['EAP-MD5'] } });
    expect(asked).toEqual([]);
  });

  it('gives no password to a gateway that has not proved itself', async () => {
    const { secrets, asked } = secretsOf(['correct horse']);
    const { peer } = await converse(
      peerOf({ methods: ['mschapv2', 'gtc'], gatewayProven: false }, secrets),
      serverOf(),
    );
    expect(peer).toMatchObject({ state: 'failure', error: { reason: 'gateway-unproven' } });
    expect(asked).toEqual([]);
  });

  it('comes to the same end over a link that loses and repeats', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    console.log(`seed ${seed}`);
    for (let run = 0; run < 200; run++) {
      const next = numbersFrom(seed + run);
      const right = next() < 0.5;
      const method = (['mschapv2', 'gtc', 'md5'] as const)[run % 3]!;
      const { secrets, asked } = secretsOf([right ? 'correct horse' : 'wrong']);
      const link = { loss: 0.3, repeat: 0.3, next };
      const { peer, server } = await converse(
        peerOf({ methods: [method] }, secrets, seed ^ run),
        serverOf({ methods: ['md5', method] }, seed + run),
        link,
      );
      expect([run, peer.state, server.state]).toEqual([
        run,
        ...(right ? ['success', 'success'] : ['failure', 'failure']),
      ]);
      if (peer.state === 'success' && server.state === 'success') expect(hex(peer.msk)).toBe(hex(server.msk));
      expect(asked.filter((what) => what === 'password')).toHaveLength(1);
    }
  });
});
