// Reverse-path filtering (net.ipv4.conf.*.rp_filter) while the tunnel takes traffic in.
//
// A strict filter (1) drops a datagram whose source the host would answer through another interface. What arrives carries
// no mark, so the kernel looks the gateway's address up in our table, finds the tunnel, and drops the gateway's ESP on
// the physical interface. (src_valid_mark would help only where a firewall marks what arrives.) So interfaces that filter
// strictly are made loose (2) while our table is in force. IPv6 has no such filter in the kernel.
//
// No file remembers the former value: a route in our own table does, and so survives kill -9 and vanishes at a reboot
// together with what it undoes:   throw 127.<interface index, 24 bits>/32 metric <former value + 1>
// Packets to 127/8 never get as far as our table.
import { formatAddress } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { type Runner, runOrError } from '../runner.ts';
import { change, type FamilyState, PROTOCOL, TABLE } from './table.ts';

const STRICT = 1;
const LOOSE = 2;

interface LinkRow {
  readonly ifindex: number;
  readonly ifname: string;
}

const path = (device: string) => `net/ipv4/conf/${device}/rp_filter`;

function marker(index: number, value: number): string {
  const address = Uint8Array.of(127, (index >> 16) & 0xff, (index >> 8) & 0xff, index & 0xff);
  return `throw ${formatAddress(address)}/32 table ${TABLE} protocol ${PROTOCOL} metric ${value + 1}`;
}

async function links(runner: Runner): Promise<readonly LinkRow[] | NetError> {
  const text = await runOrError(runner, 'ip', ['-json', 'link', 'show']);
  return text instanceof NetError ? text : (JSON.parse(text || '[]') as readonly LinkRow[]);
}

/** Makes strict filters on `devices` loose. */
export async function loosen(runner: Runner, devices: readonly string[]): Promise<NetError | undefined> {
  const all = Number((await runner.readSetting(path('all'))) ?? 0);
  const strict: { device: string; value: number }[] = [];
  for (const device of devices) {
    const value = Number((await runner.readSetting(path(device))) ?? LOOSE);
    // The kernel applies the larger of the two (Documentation/networking/ip-sysctl).
    if (Math.max(all, value) === STRICT) strict.push({ device, value });
  }
  if (strict.length === 0) return undefined;
  const known = await links(runner);
  if (known instanceof NetError) return known;
  for (const { device, value } of strict) {
    const index = known.find((link) => link.ifname === device)?.ifindex;
    if (index === undefined || index > 0xffffff) continue;
    // First the note, then the change: a crash in between leaves a note about nothing.
    const error = await change(runner, 4, [`route replace ${marker(index, value)}`]);
    if (error) return error;
    const failed = await runner.writeSetting(path(device), String(LOOSE));
    if (failed) return failed;
  }
  return undefined;
}

/** Puts back what `loosen` changed, in this run or an earlier one. Returns what it did, in words. */
export async function restore(runner: Runner, state: FamilyState): Promise<string[]> {
  if (state.markers.length === 0) return [];
  const done: string[] = [];
  const known = await links(runner);
  for (const { index, metric } of state.markers) {
    const device = known instanceof NetError ? undefined : known.find((link) => link.ifindex === index)?.ifname;
    // An interface that is gone took its setting along; another value than ours is somebody else's decision.
    if (device !== undefined && (await runner.readSetting(path(device))) === String(LOOSE)) {
      const failed = await runner.writeSetting(path(device), String(metric - 1));
      if (!failed) done.push(`reverse-path filter of ${device} set back to ${metric - 1}`);
    }
    await change(runner, 4, [`route del ${marker(index, metric - 1)}`]);
  }
  return done;
}
