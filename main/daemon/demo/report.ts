// What the demo tells, in plain words.
import type { TunnelInfo } from '../../ipc/contract.ts';

export type Print = (line: string) => void;

const SHAPE_WORDS: Readonly<Record<TunnelInfo['shape'], string>> = {
  'gre-tunnel': 'GRE inside ESP tunnel mode: your packet, in GRE, in IP, in ESP',
  'gre-transport': 'GRE in ESP transport mode: your packet, in GRE, in ESP',
  'esp-tunnel': 'ESP tunnel mode without GRE: your packet, in ESP',
  'gre-plain': 'plain GRE: NOT encrypted',
};

export function describeTunnel(tunnel: TunnelInfo): string[] {
  const { behindNat } = tunnel;
  const nat = [behindNat.local && 'we are', behindNat.remote && 'the gateway is'].filter(Boolean).join(' and ');
  const list = (items: readonly string[]): string => (items.length > 0 ? items.join(', ') : 'none');
  return table([
    ['shape', SHAPE_WORDS[tunnel.shape]],
    ['key exchange', `IKEv2, ${tunnel.ikeProposal}`],
    ['encryption', `ESP, ${tunnel.espProposal}`],
    ['gateway', `${tunnel.gatewayIdentity} at ${tunnel.gateway}, identity proved with the shared secret`],
    ['from', tunnel.local],
    [
      'NAT detection',
      nat
        ? `${nat} taken to be behind a NAT${tunnel.encapsulation === 'udp' ? ' (a profile can say so to force UDP)' : ''}`
        : 'no NAT in between',
    ],
    ['carried in', tunnel.encapsulation === 'udp' ? 'UDP (RFC 3948)' : 'raw ESP, IP protocol 50'],
    ['assigned to us', list(tunnel.assigned)],
    ['adapter', `${tunnel.interfaceName} with ${list(tunnel.addresses)}`],
    ['MTU inside', `${tunnel.mtu.value} bytes (TCP segments: ${tunnel.mtu.mss4})`],
    ['', `${tunnel.mtu.explanation}`],
    ['routes into it', list(tunnel.routes.include)],
    ...tunnel.warnings.map(({ text }): [string, string] => ['note', text]),
  ]);
}

export interface Pings {
  readonly sent: number;
  readonly received: number;
  /** Milliseconds. */
  readonly least: number;
  readonly average: number;
  readonly most: number;
}

export function summarisePings(answers: readonly (number | undefined)[]): Pings {
  const times = answers.filter((time) => time !== undefined);
  return {
    sent: answers.length,
    received: times.length,
    least: Math.min(...times),
    average: times.reduce((sum, time) => sum + time, 0) / times.length,
    most: Math.max(...times),
  };
}

export function describePings(pings: Pings): string {
  if (pings.received === 0) return `${pings.sent} sent, none answered`;
  const ms = (value: number): string => value.toFixed(2);
  return `${pings.received} of ${pings.sent} answered, min/avg/max ${ms(pings.least)}/${ms(pings.average)}/${ms(pings.most)} ms`;
}

export interface Transfer {
  readonly bytes: number;
  /** Seconds, from the first byte to the other end's confirmation of the last. */
  readonly seconds: number;
  /** SHA-256 at both ends, hexadecimal. */
  readonly sentHash: string;
  readonly receivedHash: string;
}

export function describeTransfer(transfer: Transfer): string {
  const { bytes, seconds } = transfer;
  const same = transfer.sentHash === transfer.receivedHash;
  return `${((bytes * 8) / seconds / 1e6).toFixed(0)} Mbit/s (${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, SHA-256 ${
    same ? `equal at both ends: ${transfer.sentHash.slice(0, 16)}…` : 'DIFFERS'
  })`;
}

/** The counters that are not zero, in as few lines as fit. */
export function describeCounters(counters: Readonly<Record<string, number>>): string[] {
  const texts = Object.entries(counters)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`);
  const lines: string[] = [];
  for (const text of texts) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + text.length < 100) lines[lines.length - 1] = `${line}, ${text}`;
    else lines.push(text);
  }
  return lines;
}

export function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}

/** Throws, so that the demo fails, where what was measured is not what a working tunnel does. */
export function checkFigures(pings: Pings, transfers: readonly Transfer[]): void {
  if (pings.received < pings.sent)
    throw new Error(`${pings.sent - pings.received} of ${pings.sent} pings were not answered`);
  for (const { bytes, sentHash, receivedHash } of transfers) {
    if (bytes === 0) throw new Error('nothing was carried in a throughput measurement');
    if (sentHash !== receivedHash) throw new Error('what arrived is not what was sent: the SHA-256 differs');
  }
}
