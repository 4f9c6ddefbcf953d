// The fakes keep the promises of the interfaces they stand in for.
import { expect, it } from 'vitest';
import { NetError } from '../../main/net/error.ts';
import { fakeRouteTable } from '../../main/net/route/fake.ts';
import { fakeSocketFactory } from '../../main/net/socket/fake.ts';
import { parseAddress } from '../../main/wire/address.ts';

const failure = new NetError({ code: 'unreachable', message: 'no', operation: 'x', remedy: 'y' });
const here = parseAddress('192.0.2.1')!;
const there = { address: parseAddress('192.0.2.2')!, port: 4500 };

it('sockets: record what is sent, refuse a taken port, return the errors they are given', () => {
  const factory = fakeSocketFactory(here);
  const seen: number[] = [];
  factory.onSend = (from, bytes) => seen.push(from.fd, bytes.length);
  const options = { kind: 'ike', family: 4, localPort: 500, mark: 0 } as const;
  const socket = factory.open(options);
  if (socket instanceof NetError) throw socket;
  expect(socket.local.port).toBe(500);
  expect(socket.fd).toBeLessThan(0);
  expect(factory.open(options)).toMatchObject({ code: 'address-in-use' });
  const bytes = Uint8Array.of(1, 2);
  expect(socket.send(bytes, there)).toBeUndefined();
  bytes.fill(9);
  expect(factory.sockets[0]?.sent).toEqual([{ bytes: Uint8Array.of(1, 2), to: there }]);
  expect(seen).toEqual([socket.fd, 2]);
  factory.sockets[0]?.sendErrors.push(failure);
  expect(socket.send(bytes, there)).toBe(failure);
  socket.close();
  expect(() => socket.send(bytes, there)).toThrow('closed');
  expect(factory.open(options)).not.toBeInstanceOf(NetError);
  factory.openErrors.push(failure);
  expect(factory.open(options)).toBe(failure);
  expect(factory.sourceAddress(there, 0)).toBe(here);
});

it('routes: remember what holds, change nothing where an apply fails', async () => {
  const routes = fakeRouteTable(['a rule'], 7);
  const desired = { interfaceName: 'tun0', include: [], exclude: [], allowLan: false, unreachable: [] };
  expect(await routes.apply(desired)).toBeUndefined();
  expect(routes.desired).toBe(desired);
  routes.errors.push(failure);
  expect(await routes.apply({ ...desired, allowLan: true })).toBe(failure);
  expect(routes.desired).toBe(desired);
  await routes.close();
  expect(routes.desired).toBeUndefined();
  expect(await routes.cleanUp()).toEqual(['a rule']);
  expect(await routes.cleanUp()).toEqual([]);
  expect(routes.calls).toEqual(['apply', 'apply', 'close', 'cleanUp', 'cleanUp']);
});
