// Installing and removing CHILD SAs: the order of commands, and what is left when one of them is refused.
import { describe, expect, it } from 'vitest';
import { createChildren, GRACE, type Placement, spiText } from '../../main/esp/children.ts';
import { INBOUND_SLOTS, OUTBOUND_SLOTS } from '../../main/esp/slots.ts';
import type { DataPlane, ReceiverCommand, SenderCommand, TunnelParams } from '../../main/path/command.ts';
import { parseAddress } from '../../main/wire/address.ts';
import { type FakeClock, fakeClock } from '../session/fakes/clock.ts';
import { child } from './sample.ts';

const params: TunnelParams = {
  shape: 'esp-tunnel',
  gre: null,
  delivery: null,
  mtu: 1400,
  mss4: 1360,
  mss6: 1340,
  local: [],
  remote: [],
  copyDscp: false,
  ttl: 64,
};
const placement: Placement = {
  tunnel: 2,
  params,
  peer: { remote: { address: parseAddress('198.51.100.1')!, port: 4500 }, socket: 9, encapsulation: 'udp' },
  replayWindow: 1024,
};

/** Notes each command when it is sent and when it is acknowledged; refuses those that `refuse` names. */
function recorder(refuse: (name: string) => boolean = () => false) {
  const log: string[] = [];
  const keys: number[] = [];
  async function carryOut(name: string): Promise<void> {
    log.push(name);
    await Promise.resolve();
    if (refuse(name)) throw new Error(`${name} refused`);
    log.push(`${name} ack`);
  }
  const name = (command: SenderCommand | ReceiverCommand): string => {
    if (command.kind === 'installInbound' || command.kind === 'installOutbound') keys.push(command.params.key[0]!);
    return 'slot' in command ? `${command.kind} ${command.slot}` : command.kind;
  };
  const plane: DataPlane = {
    send: (command) => carryOut(name(command)),
    receive: (command) => carryOut(name(command)),
    configure: () => carryOut('configure'),
    attachTun: () => carryOut('attachTun'),
    statistics: () => {
      throw new Error('not here');
    },
    close: async () => {},
  };
  return { plane, log, keys };
}

const STEPS = ['configure', 'installInbound 0', 'setPeer', 'installOutbound 0', 'activate 0'];

describe('install', () => {
  it('waits for each acknowledgement before the next command, inbound before outbound', async () => {
    const { plane, log, keys } = recorder();
    const children = createChildren(plane, { clock: fakeClock() });
    const sample = child(1);
    const installed = await children.install(sample, placement);
    expect(log).toEqual(STEPS.flatMap((step) => [step, `${step} ack`]));
    expect(keys).toEqual([5, 7]);
    expect(installed).toEqual({ spiIn: 0x1001, spiOut: 0x2001, tunnel: 2, inboundSlot: 0, outboundSlot: 0 });
    expect(children.list()).toEqual([installed]);
    expect(children.outbound(0, 0x2001)).toBe(installed);
    expect(children.outbound(0, 0x2002)).toBeUndefined();
    expect(sample.keyIn.every((byte) => byte === 0) && sample.keyOut.every((byte) => byte === 0)).toBe(true);
  });

  it.each(STEPS)('takes back what it did when "%s" is refused, in reverse, and wipes the keys', async (step) => {
    let refusing = true;
    const { plane, log } = recorder((name) => refusing && name === step);
    const children = createChildren(plane, { clock: fakeClock() });
    const sample = child(1);
    await expect(children.install(sample, placement)).rejects.toThrow(`${step} refused`);
    const undone = log.filter((line) => line.startsWith('remove') && !line.endsWith('ack'));
    const reached = STEPS.indexOf(step);
    expect(undone).toEqual([
      ...(reached > STEPS.indexOf('installOutbound 0') ? ['removeOutbound 0'] : []),
      ...(reached > STEPS.indexOf('installInbound 0') ? ['removeInbound 0'] : []),
    ]);
    expect(children.list()).toEqual([]);
    expect([sample.keyIn, sample.saltIn, sample.keyOut, sample.saltOut].every((one) => one.every((b) => b === 0))).toBe(
      true,
    );
    // The slots are free again.
    refusing = false;
    expect(await children.install(child(2), placement)).toMatchObject({ inboundSlot: 0, outboundSlot: 0 });
  });

  it('does not give a slot out again that the data plane would not let go of', async () => {
    let refusing = true;
    const { plane } = recorder((name) => refusing && (name === 'activate 0' || name === 'removeInbound 0'));
    const children = createChildren(plane, { clock: fakeClock() });
    await expect(children.install(child(1), placement)).rejects.toThrow('activate 0 refused');
    refusing = false;
    expect(await children.install(child(2), placement)).toMatchObject({ inboundSlot: 1, outboundSlot: 0 });
  });

  it('reports the first error though taking back fails as well', async () => {
    const { plane } = recorder((name) => name === 'activate 0' || name.startsWith('remove'));
    const children = createChildren(plane, { clock: fakeClock() });
    await expect(children.install(child(1), placement)).rejects.toThrow('activate 0 refused');
  });

  it('refuses an SPI that is there already, without touching it', async () => {
    const { plane } = recorder();
    const children = createChildren(plane, { clock: fakeClock() });
    await children.install(child(1), placement);
    await expect(children.install(child(1), placement)).rejects.toThrow('0x00001001');
    expect(children.list()).toHaveLength(1);
  });

  it('refuses more than the core holds', async () => {
    const { plane } = recorder();
    const children = createChildren(plane, { clock: fakeClock() });
    for (let i = 0; i < OUTBOUND_SLOTS; i++) await children.install(child(i), placement);
    await expect(children.install(child(99), placement)).rejects.toThrow('outbound SAs');
    // The inbound slot that was taken for it is free again: there is room for all that the outbound side has.
    for (let round = 0; round < INBOUND_SLOTS; round++)
      await expect(children.install(child(99), placement)).rejects.toThrow('outbound SAs');
  });
});

/** Commands without their acknowledgements, since the last look. */
function sent(log: string[]): string[] {
  return log.splice(0).filter((line) => !line.endsWith('ack'));
}

function start(refuse?: (name: string) => boolean) {
  const { plane, log } = recorder(refuse);
  const clock: FakeClock = fakeClock();
  const errors: unknown[] = [];
  const children = createChildren(plane, { clock, onError: (error) => errors.push(error) });
  return { children, clock, log, errors };
}

describe('remove', () => {
  it('stops sending at once, receives until the grace time is over, then frees both slots', async () => {
    const { children, clock, log, errors } = start();
    await children.install(child(1), placement);
    await children.install(child(2), placement);
    sent(log);
    expect(await children.remove(0x1001)).toMatchObject({ spiIn: 0x1001, inboundSlot: 0 });
    expect(sent(log)).toEqual(['removeOutbound 0']);
    expect(children.list().map(({ spiIn }) => spiIn)).toEqual([0x1002]);
    await clock.advance(GRACE - 1);
    expect(sent(log)).toEqual([]);
    expect(await children.install(child(3), placement)).toMatchObject({ outboundSlot: 0, inboundSlot: 2 });
    sent(log);
    await clock.advance(1);
    expect(sent(log)).toEqual(['removeInbound 0']);
    expect(await children.install(child(4), placement)).toMatchObject({ inboundSlot: 0 });
    expect(errors).toEqual([]);
  });

  it('is nothing for an SPI that is not there', async () => {
    const { children, log } = start();
    expect(await children.remove(7)).toBeUndefined();
    expect(log).toEqual([]);
  });

  it('removes the inbound SA though the sender refuses, and says that it did', async () => {
    const { children, clock, log } = start((name) => name === 'removeOutbound 0');
    await children.install(child(1), placement);
    await expect(children.remove(0x1001)).rejects.toThrow('removeOutbound 0 refused');
    await clock.advance(GRACE);
    expect(log).toContain('removeInbound 0 ack');
    expect(children.list()).toEqual([]);
    expect(await children.install(child(2), placement)).toMatchObject({ inboundSlot: 0, outboundSlot: 1 });
  });

  it('tells of an inbound SA that the receiver would not let go of, and never uses its slot again', async () => {
    const { children, clock, errors } = start((name) => name === 'removeInbound 0');
    await children.install(child(1), placement);
    await children.remove(0x1001);
    await clock.advance(GRACE);
    expect(errors).toHaveLength(1);
    expect(await children.install(child(2), placement)).toMatchObject({ inboundSlot: 1 });
  });

  it('cuts a grace time short where a new SA needs the slot', async () => {
    const { children, clock, log } = start();
    for (let i = 0; i < INBOUND_SLOTS; i++) {
      await children.install(child(i), placement);
      if (i > 0) await children.remove(0x1000 + i - 1);
      await clock.advance(1);
    }
    sent(log);
    expect(await children.install(child(INBOUND_SLOTS), placement)).toMatchObject({ inboundSlot: 0 });
    expect(sent(log)[0]).toBe('removeInbound 0');
    // The timer of the one whose time was cut short is gone with it: the next to go is the second.
    await clock.advance(GRACE - INBOUND_SLOTS + 2);
    expect(sent(log).filter((line) => line.startsWith('removeInbound'))).toEqual(['removeInbound 1']);
  });

  it('takes a tunnel out with all it has, those in their grace time too', async () => {
    const { children, clock, log } = start();
    await children.install(child(1), placement);
    await children.install(child(2), placement);
    await children.install(child(3), { ...placement, tunnel: 5 });
    await children.remove(0x1001);
    sent(log);
    await children.removeTunnel(2);
    expect(sent(log).sort()).toEqual([
      'removeInbound 0',
      'removeInbound 1',
      'removeOutbound 1',
      'removeTunnel',
      'removeTunnel',
    ]);
    expect(children.list().map(({ tunnel }) => tunnel)).toEqual([5]);
    await clock.advance(2 * GRACE);
    expect(sent(log)).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind when the data plane is closed', async () => {
    const { children, clock } = start();
    await children.install(child(1), placement);
    await children.remove(0x1001);
    expect(clock.pending).toBe(1);
    children.close();
    expect(clock.pending).toBe(0);
  });
});

describe('switch-over', () => {
  const activations = (log: string[]) => sent(log).filter((line) => line.startsWith('activate'));

  it('answering a rekeying, sends on the old SA until the first packet comes on the new one', async () => {
    const { children, log } = start();
    await children.install(child(1), placement);
    sent(log);
    const second = await children.install(child(2), placement, 'first-inbound');
    expect(sent(log)).toEqual(['configure', 'installInbound 1', 'setPeer', 'installOutbound 1']);
    expect(await children.firstInbound(second.inboundSlot, second.spiIn)).toBe(second);
    expect(sent(log)).toEqual(['activate 1']);
    // It is sent on already.
    expect(await children.firstInbound(second.inboundSlot, second.spiIn)).toBeUndefined();
    await children.remove(0x1001);
    expect(sent(log)).toEqual(['removeOutbound 0']);
  });

  it('takes the new one when the old is removed before any packet came', async () => {
    const { children, log } = start();
    await children.install(child(1), placement);
    await children.install(child(2), placement, 'first-inbound');
    sent(log);
    await children.remove(0x1001);
    expect(sent(log)).toEqual(['activate 1', 'removeOutbound 0']);
  });

  it('sends at once where there is nothing else to send on', async () => {
    const { children, log } = start();
    await children.install(child(1), placement, 'first-inbound');
    expect(activations(log)).toEqual(['activate 0']);
  });

  it('does not go back to an older SA for a late packet', async () => {
    const { children, log } = start();
    await children.install(child(1), placement);
    const second = await children.install(child(2), placement, 'first-inbound');
    const third = await children.install(child(3), placement, 'first-inbound');
    sent(log);
    await children.firstInbound(third.inboundSlot, third.spiIn);
    expect(activations(log)).toEqual(['activate 2']);
    expect(await children.firstInbound(second.inboundSlot, second.spiIn)).toBeUndefined();
    expect(activations(log)).toEqual([]);
  });

  it('takes no other SPI of a slot for the one that waits there', async () => {
    const { children } = start();
    await children.install(child(1), placement);
    const second = await children.install(child(2), placement, 'first-inbound');
    expect(await children.firstInbound(second.inboundSlot, 0x1777)).toBeUndefined();
    expect(await children.firstInbound(second.inboundSlot + 1, second.spiIn)).toBeUndefined();
  });

  it('two replacements that crossed: falls back to the one that is left, and never to the loser', async () => {
    const { children, log } = start();
    await children.install(child(1), placement);
    const theirs = await children.install(child(2), placement, 'first-inbound');
    await children.install(child(3), placement, 'now');
    const loser = await children.install(child(4), placement, 'never');
    expect(activations(log)).toEqual(['activate 0', 'activate 2']);
    expect(await children.firstInbound(loser.inboundSlot, loser.spiIn)).toBeUndefined();
    await children.remove(0x1003);
    expect(sent(log)).toEqual([`activate ${theirs.outboundSlot}`, 'removeOutbound 2']);
  });

  it('removes the old SA though the new one cannot be activated, and says so', async () => {
    const { children, log } = start((name) => name === 'activate 1');
    await children.install(child(1), placement);
    await children.install(child(2), placement, 'first-inbound');
    sent(log);
    await expect(children.remove(0x1001)).rejects.toThrow('activate 1 refused');
    expect(sent(log)).toEqual(['activate 1', 'removeOutbound 0']);
  });
});

describe('expect and cancel', () => {
  it('go to the receiver', async () => {
    const { plane, log } = recorder();
    const children = createChildren(plane, { clock: fakeClock() });
    await children.expect(5);
    await children.cancel(5);
    expect(log).toEqual(['expect', 'expect ack', 'cancelExpected', 'cancelExpected ack']);
  });
});

it('prints SPIs as packet tools do', () => {
  expect(spiText(0xc0ffee)).toBe('0x00c0ffee');
});
