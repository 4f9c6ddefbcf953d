// Asking a gateway's ports over loopback, where the test itself answers.
import { createSocket, type Socket } from 'node:dgram';
import { afterEach, expect, it } from 'vitest';
import { asksPort } from '../../main/daemon/reach.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const random = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length));
const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

async function gateway(answer: (request: Buffer) => Buffer | null): Promise<number> {
  const socket = createSocket('udp4');
  open.push(socket);
  socket.on('message', (request, from) => {
    const reply = answer(request);
    if (reply) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket.address().port;
}
/** The same SPI with the response flag: what any responder's refusal begins with. */
const refusal = (message: Buffer): Buffer => {
  const reply = Buffer.from(message.subarray(0, 28));
  reply[19] = 0x20;
  return reply;
};

it('hears an answer, on the port of IKE and behind the marker', async () => {
  const ike = await gateway(refusal);
  expect(await asksPort(LOOPBACK, ike, false, random)).toEqual({ port: ike, answered: true, error: null });
  const natt = await gateway((request) => {
    expect(request.readUInt32BE(0)).toBe(0);
    return Buffer.concat([Buffer.alloc(4), refusal(request.subarray(4))]);
  });
  expect(await asksPort(LOOPBACK, natt, true, random)).toEqual({ port: natt, answered: true, error: null });
});

it('is not taken in by an answer to somebody else, and says what the network says', async () => {
  const liar = await gateway(() => Buffer.alloc(28, 0x20));
  expect(await asksPort(LOOPBACK, liar, false, random)).toEqual({ port: liar, answered: false, error: null });
  const closed = await gateway(() => null);
  for (const socket of open.splice(0)) socket.close();
  expect(await asksPort(LOOPBACK, closed, false, random)).toMatchObject({ answered: false, error: 'ECONNREFUSED' });
});
