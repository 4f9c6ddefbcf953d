// The rehearsal of each role: the loop on stage really carries packets, and nothing of it is left behind.
import { readdirSync } from 'node:fs';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { createCoreSync } from '../../main/core/core.ts';
import { loadCoreModuleSync } from '../../main/core/load.ts';
import { AF_INET, EPERM, SOCK_DGRAM } from '../../main/native/constants.ts';
import { type Libc, libc } from '../../main/native/libc.ts';
import { monotonic } from '../../main/path/messages.ts';
import { Rehearsal } from '../../main/path/rehearsal.ts';
import { shared } from '../../main/path/shared.ts';

/** Every channel made since the file was loaded. */
const channels = vi.hoisted(() => [] as MessageChannel[]);

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  return {
    ...real,
    MessageChannel: class extends real.MessageChannel {
      constructor() {
        super();
        channels.push(this);
      }
    },
  };
});

const descriptors = () => readdirSync('/proc/self/fd').length;

describe.each(['sender', 'receiver', 'single'] as const)('%s', (role) => {
  it('carries every packet, on sockets of its own, and closes them', () => {
    const module = loadCoreModuleSync();
    const core = createCoreSync(module);
    const { port1, port2 } = new MessageChannel();
    const done = { sent: 0, opened: 0 };
    const system = libc();
    const calls: Libc = {
      ...system,
      sendmmsg: (...given) => {
        const sent = system.sendmmsg(...given);
        if (sent > 0) done.sent += sent;
        return sent;
      },
      write: (...given) => {
        const written = system.write(...given);
        // A virtio header, and the ping.
        if (written === 94) done.opened++;
        return written;
      },
    };
    const before = descriptors();
    const numbers = shared();
    const clockOffset = performance.now() - monotonic();
    const rehearsal = Rehearsal.open(
      { role, core, calls, shared: numbers, port: port1, eventfd: -1, clockOffset },
      module,
    );
    if (!rehearsal) throw new Error('there was no stage');
    expect(descriptors()).toBeGreaterThan(before);
    for (let step = 0; step < 40; step++) rehearsal.step();
    expect(rehearsal.goesOn).toBe(true);
    // The batches of four, every eighth turn, leave as one message.
    if (role !== 'receiver') expect(done.sent).toBeGreaterThanOrEqual(40);
    if (role !== 'sender') expect(done.opened).toBe(40 + 5 * 3);
    // The real loop's numbers are not touched.
    expect([...numbers.numbers].every((value) => value === 0)).toBe(true);
    rehearsal.close();
    port1.close();
    port2.close();
    expect(descriptors()).toBe(before);
  });
});

it('takes no datagram of anybody else on this machine', () => {
  const module = loadCoreModuleSync();
  const { port1, port2 } = new MessageChannel();
  const system = libc();
  const stage: Uint8Array[] = [];
  let received = 0;
  const calls: Libc = {
    ...system,
    connect: (fd, address) => {
      stage.push(address);
      return system.connect(fd, address);
    },
    recvmmsg: (...given) => {
      const count = system.recvmmsg(...given);
      if (count > 0) received += count;
      return count;
    },
  };
  const clockOffset = performance.now() - monotonic();
  const rehearsal = Rehearsal.open(
    { role: 'receiver', core: createCoreSync(module), calls, shared: shared(), port: port1, eventfd: -1, clockOffset },
    module,
  );
  if (!rehearsal || !stage[0]) throw new Error('there was no stage');
  const stranger = system.socket(AF_INET, SOCK_DGRAM, 0);
  for (let i = 0; i < 5; i++) system.sendto(stranger, new Uint8Array(100), 0, stage[0]);
  // The first step sends four, the others one each.
  for (let step = 0; step < 3; step++) rehearsal.step();
  expect(received).toBe(4 + 2);
  rehearsal.close();
  system.close(stranger);
  port1.close();
  port2.close();
});

it('throws away what the loop on stage tells: no event loop would ever do it', () => {
  const module = loadCoreModuleSync();
  const { port1, port2 } = new MessageChannel();
  // A firewall that forbids the loopback: the loop reports the error once a second.
  const calls: Libc = { ...libc(), sendmmsg: () => -1, errno: () => EPERM };
  const clockOffset = performance.now() - monotonic();
  const rehearsal = Rehearsal.open(
    { role: 'sender', core: createCoreSync(module), calls, shared: shared(), port: port1, eventfd: -1, clockOffset },
    module,
  );
  const channel = channels.at(-1);
  if (!rehearsal || !channel || channel.port1 === port1) throw new Error('there was no stage');
  for (let step = 0; step < 20; step++) rehearsal.step();
  // What comes now is told: it is there if nobody takes it away, which eight steps do.
  channel.port1.postMessage({ kind: 'event' });
  for (let step = 0; step < 8; step++) rehearsal.step();
  expect(receiveMessageOnPort(channel.port2)).toBeUndefined();
  channel.port1.postMessage({ kind: 'event' });
  expect(receiveMessageOnPort(channel.port2)).toBeDefined();
  rehearsal.close();
  port1.close();
  port2.close();
});

it('is left out where there is no stage', () => {
  const module = loadCoreModuleSync();
  const { port1 } = new MessageChannel();
  const calls: Libc = { ...libc(), eventfd: () => -1, socketpair: () => -1 };
  const before = descriptors();
  const options = {
    role: 'single',
    core: createCoreSync(module),
    calls,
    shared: shared(),
    port: port1,
    eventfd: -1,
  } as const;
  expect(Rehearsal.open({ ...options, clockOffset: 0 }, module)).toBeUndefined();
  expect(descriptors()).toBe(before);
  port1.close();
});

it('ends where the stage breaks, and costs the tunnel nothing', () => {
  const module = loadCoreModuleSync();
  const { port1, port2 } = new MessageChannel();
  const calls: Libc = {
    ...libc(),
    poll: () => {
      throw new Error('the stage broke');
    },
  };
  const clockOffset = performance.now() - monotonic();
  const before = descriptors();
  const rehearsal = Rehearsal.open(
    { role: 'sender', core: createCoreSync(module), calls, shared: shared(), port: port1, eventfd: -1, clockOffset },
    module,
  );
  if (!rehearsal) throw new Error('there was no stage');
  expect(rehearsal.goesOn).toBe(true);
  rehearsal.step();
  expect(rehearsal.goesOn).toBe(false);
  rehearsal.close();
  port1.close();
  port2.close();
  expect(descriptors()).toBe(before);
});
