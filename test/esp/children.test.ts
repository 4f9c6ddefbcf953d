// Installing and removing CHILD SAs: the order of commands, and what is left when one of them is refused.
import { describe, expect, it } from 'vitest';
import { createChildren, type Placement, spiText } from '../../main/esp/children.ts';
import { INBOUND_SLOTS, OUTBOUND_SLOTS } from '../../main/esp/slots.ts';
import type { DataPlane, ReceiverCommand, SenderCommand, TunnelParams } from '../../main/path/command.ts';
import { parseAddress } from '../../main/wire/address.ts';
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
    const children = createChildren(plane);
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
    const children = createChildren(plane);
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
    const children = createChildren(plane);
    await expect(children.install(child(1), placement)).rejects.toThrow('activate 0 refused');
    refusing = false;
    expect(await children.install(child(2), placement)).toMatchObject({ inboundSlot: 1, outboundSlot: 0 });
  });

  it('reports the first error though taking back fails as well', async () => {
    const { plane } = recorder((name) => name === 'activate 0' || name.startsWith('remove'));
    const children = createChildren(plane);
    await expect(children.install(child(1), placement)).rejects.toThrow('activate 0 refused');
  });

  it('refuses an SPI that is there already, without touching it', async () => {
    const { plane } = recorder();
    const children = createChildren(plane);
    await children.install(child(1), placement);
    await expect(children.install(child(1), placement)).rejects.toThrow('0x00001001');
    expect(children.list()).toHaveLength(1);
  });

  it('refuses more than the core holds', async () => {
    const { plane } = recorder();
    const children = createChildren(plane);
    for (let i = 0; i < OUTBOUND_SLOTS; i++) await children.install(child(i), placement);
    await expect(children.install(child(99), placement)).rejects.toThrow('outbound SAs');
    // The inbound slot that was taken for it is free again: there is room for all that the outbound side has.
    for (let round = 0; round < INBOUND_SLOTS; round++)
      await expect(children.install(child(99), placement)).rejects.toThrow('outbound SAs');
  });
});

describe('remove', () => {
  it('removes both directions and frees the slots', async () => {
    const { plane, log } = recorder();
    const children = createChildren(plane);
    await children.install(child(1), placement);
    await children.install(child(2), placement);
    log.length = 0;
    expect(await children.remove(0x1001)).toMatchObject({ spiIn: 0x1001, inboundSlot: 0 });
    expect(log.filter((line) => !line.endsWith('ack'))).toEqual(['removeOutbound 0', 'removeInbound 0']);
    expect(children.list().map(({ spiIn }) => spiIn)).toEqual([0x1002]);
    expect((await children.install(child(3), placement)).outboundSlot).toBe(0);
  });

  it('is nothing for an SPI that is not there', async () => {
    const { plane, log } = recorder();
    expect(await createChildren(plane).remove(7)).toBeUndefined();
    expect(log).toEqual([]);
  });

  it('removes the inbound SA though the sender refuses, and says that it did', async () => {
    const { plane, log } = recorder((name) => name === 'removeOutbound 0');
    const children = createChildren(plane);
    await children.install(child(1), placement);
    await expect(children.remove(0x1001)).rejects.toThrow('removeOutbound 0 refused');
    expect(log).toContain('removeInbound 0 ack');
    expect(children.list()).toEqual([]);
    expect(await children.install(child(2), placement)).toMatchObject({ inboundSlot: 0, outboundSlot: 1 });
  });
});

describe('expect and cancel', () => {
  it('go to the receiver', async () => {
    const { plane, log } = recorder();
    const children = createChildren(plane);
    await children.expect(5);
    await children.cancel(5);
    expect(log).toEqual(['expect', 'expect ack', 'cancelExpected', 'cancelExpected ack']);
  });
});

it('prints SPIs as packet tools do', () => {
  expect(spiText(0xc0ffee)).toBe('0x00c0ffee');
});
