// Captures in a namespace, and what others read in them: tcpdump writes, scapy (decrypt.py) and tshark read.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EspCipher, EspIntegrity } from '../../main/core/api.ts';
import type { Lab, Running } from './lab.ts';

const DECRYPT = fileURLToPath(new URL('./decrypt.py', import.meta.url));

export interface EspKey {
  readonly spi: number;
  readonly cipher: EspCipher;
  /** Hex. */
  readonly key: string;
  readonly salt: string;
  readonly integrity?: EspIntegrity | undefined;
  readonly integrityKey?: string;
  readonly mode: 'transport' | 'tunnel';
  readonly esn?: boolean;
}

export interface EspPacket {
  readonly spi: number;
  readonly sequence: number;
  readonly encapsulation: 'udp' | 'raw';
  readonly next?: number;
  /** Hex: what ESP carried. */
  readonly inner?: string;
  readonly error?: string;
}

export class Capture {
  readonly file: string;
  private readonly lab: Lab;
  private readonly namespace: string;
  private readonly tcpdump: Running;

  private constructor(lab: Lab, namespace: string, file: string, tcpdump: Running) {
    this.lab = lab;
    this.namespace = namespace;
    this.file = file;
    this.tcpdump = tcpdump;
  }

  static async start(lab: Lab, namespace: string, device: string, ...filter: string[]): Promise<Capture> {
    const file = join(lab.directory, `${namespace}-${device}.pcap`);
    const tcpdump = lab.start(namespace, [
      'tcpdump',
      '-Z',
      'root',
      '--immediate-mode',
      '-U',
      '-w',
      file,
      '-i',
      device,
      ...filter,
    ]);
    await tcpdump.saw(/listening on/);
    return new Capture(lab, namespace, file, tcpdump);
  }

  /** Waits until so many packets are in the file, or for five seconds: tcpdump drops what it has not read when it ends. */
  async holds(count: number): Promise<void> {
    const deadline = Date.now() + 5000;
    while (this.packets().length < count && Date.now() < deadline) await new Promise((wake) => setTimeout(wake, 20));
  }

  async stop(): Promise<void> {
    await this.tcpdump.stop('SIGINT');
  }

  /** Decrypts with scapy. */
  async esp(keys: readonly EspKey[]): Promise<readonly EspPacket[]> {
    const file = `${this.file}.keys.json`;
    writeFileSync(file, JSON.stringify(keys));
    const ran = await this.lab.finish(this.namespace, ['/usr/bin/python3', DECRYPT, this.file, file]);
    if (ran.code !== 0) throw new Error(`decrypt.py: ${ran.stderr}`);
    return ran.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EspPacket);
  }

  /** Every captured packet whole, in hex: the file must be of an interface without a link layer (LINKTYPE_RAW). */
  packets(): readonly string[] {
    const file = readFileSync(this.file);
    const packets: string[] = [];
    // pcap: a 24-byte file header, then records of a 16-byte header (captured length at 8) and the bytes.
    for (let at = 24; at + 16 <= file.length; at += 16 + file.readUInt32LE(at + 8)) {
      packets.push(file.toString('hex', at + 16, at + 16 + file.readUInt32LE(at + 8)));
    }
    return packets;
  }

  /** Fields of every packet as tshark reads them, tab-separated values split. */
  async tshark(options: readonly string[], fields: readonly string[]): Promise<readonly (readonly string[])[]> {
    const ran = await this.lab.finish(this.namespace, [
      ...['tshark', '-r', this.file, '-n', ...options, '-T', 'fields'],
      ...fields.flatMap((field) => ['-e', field]),
    ]);
    if (ran.code !== 0) throw new Error(`tshark: ${ran.stderr}`);
    return ran.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t'));
  }
}
