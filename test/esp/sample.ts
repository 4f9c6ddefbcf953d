// A CHILD SA for tests; every number makes another one.
import type { ChildSa } from '../../main/ike/child-sa.ts';
import { parseAddress, parsePrefix } from '../../main/wire/address.ts';
import { selectorOf } from '../../main/wire/selector.ts';

export function child(number: number): ChildSa {
  const secret = (length: number, seed: number): Uint8Array => new Uint8Array(length).fill(number * 4 + seed + 1);
  return {
    spiIn: 0x1000 + number,
    spiOut: 0x2000 + number,
    mode: 'tunnel',
    cipher: 'aes-gcm-16',
    proposal: 'aes128gcm16',
    keyIn: secret(16, 0),
    saltIn: secret(4, 1),
    keyOut: secret(16, 2),
    saltOut: secret(4, 3),
    esn: false,
    local: [selectorOf(parsePrefix('10.10.0.5/32')!, 47)],
    remote: [selectorOf(parsePrefix('10.77.0.1/32')!, 47)],
    encapsulation: 'udp',
    peer: { address: parseAddress('198.51.100.1')!, port: 4500 },
  };
}
