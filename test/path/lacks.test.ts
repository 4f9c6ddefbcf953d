// One line for each offload that a kernel lacks, and none for what it has.
import { expect, it } from 'vitest';
import { IPPROTO_UDP, UDP_GRO, UDP_SEGMENT } from '../../main/native/constants.ts';
import type { SocketHandle } from '../../main/path/command.ts';
import { noteLacks } from '../../main/path/lacks.ts';

/** `options`: what getsockopt answers. */
function rig(options: { readonly [option: number]: number }) {
  const notes: string[] = [];
  const getsockopt = (_fd: number, level: number, option: number): number =>
    level === IPPROTO_UDP ? (options[option] ?? -1) : -1;
  const lacks = noteLacks({ getsockopt }, (event) => void (event.kind === 'note' && notes.push(event.text)));
  return { lacks, notes };
}

const natt: SocketHandle = { fd: 7, kind: 'natt' };

it.each([
  ['everything', { [UDP_GRO]: 1, [UDP_SEGMENT]: 0 }, { vnetHeader: true, uso: true }, []],
  ['no header', { [UDP_GRO]: 1, [UDP_SEGMENT]: 0 }, { vnetHeader: false, uso: false }, [/no virtio header/]],
  ['no USO', { [UDP_GRO]: 1, [UDP_SEGMENT]: 0 }, { vnetHeader: true, uso: false }, [/no UDP segmentation.*Linux 6\.2/]],
  ['GRO off', { [UDP_GRO]: 0, [UDP_SEGMENT]: 0 }, { vnetHeader: true, uso: true }, [/UDP_GRO, Linux 5\.0/]],
  ['no UDP_GRO', { [UDP_SEGMENT]: 0 }, { vnetHeader: true, uso: true }, [/UDP_GRO, Linux 5\.0/]],
  ['no UDP_SEGMENT', { [UDP_GRO]: 1 }, { vnetHeader: true, uso: true }, [/no UDP_SEGMENT \(Linux 4\.18\)/]],
  ['nothing', {}, { vnetHeader: false }, [/UDP_GRO/, /UDP_SEGMENT/, /no virtio header/]],
] as const)('%s', (_, options, tun, expected) => {
  const { lacks, notes } = rig(options);
  for (let time = 0; time < 2; time++) {
    lacks.socket(natt);
    lacks.tun({ fd: 8, ...tun });
  }
  expect(notes).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
});

it('asks no socket that carries no bursts', () => {
  const { lacks, notes } = rig({});
  for (const kind of ['ike', 'esp4', 'esp6', 'gre4', 'gre6', 'tcp'] as const) lacks.socket({ fd: 7, kind });
  expect(notes).toEqual([]);
});
