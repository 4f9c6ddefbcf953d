// A peer and a server, packet by packet, over a link that may lose and repeat packets.
import { createEapPeer } from '../../main/eap/create-peer.ts';
import { createEapServer } from '../../main/eap/create-server.ts';
import type {
  EapPeer,
  EapPeerConfig,
  EapPeerStep,
  EapSecrets,
  EapServer,
  EapServerConfig,
  EapServerStep,
} from '../../main/eap/types.ts';

/** mulberry32: numbers in [0, 1). */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const randomFrom = (seed: number) => {
  const next = numbersFrom(seed);
  return (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(next() * 256));
};

export const hex = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString('hex');

/** Passwords and codes one after another; what was asked for. */
export function secretsOf(passwords: readonly (string | null)[], codes: readonly (string | null)[] = []) {
  const asked: string[] = [];
  let password = 0;
  let code = 0;
  const secrets: EapSecrets = {
    password: async ({ refused }) => {
      asked.push(refused ? 'password again' : 'password');
      return passwords[password++] ?? null;
    },
    code: async (prompt) => {
      asked.push(`code: ${prompt}`);
      return codes[code++] ?? null;
    },
  };
  return { secrets, asked };
}

export const PEER: EapPeerConfig = { methods: ['mschapv2'], username: 'alice', gatewayProven: true };
export const SERVER: EapServerConfig = {
  methods: ['mschapv2'],
  account: (identity) => (identity === 'alice' ? { password: 'correct horse' } : null),
  name: 'gateway.example',
  askIdentity: true,
};

export const peerOf = (config: Partial<EapPeerConfig>, secrets: EapSecrets, seed = 1): EapPeer =>
  createEapPeer({ ...PEER, ...config }, { random: randomFrom(seed), secrets });
export const serverOf = (config: Partial<EapServerConfig> = {}, seed = 2): EapServer =>
  createEapServer({ ...SERVER, ...config }, { random: randomFrom(seed) });

export interface Outcome {
  readonly peer: EapPeerStep;
  readonly server: EapServerStep;
  readonly rounds: number;
}

/** Each packet may be lost (the server sends again then) or arrive twice. */
export interface Link {
  readonly loss: number;
  readonly repeat: number;
  readonly next: () => number;
}

const PERFECT: Link = { loss: 0, repeat: 0, next: () => 1 };

/** Runs both to the end of the server's half. */
export async function converse(peer: EapPeer, server: EapServer, link: Link = PERFECT): Promise<Outcome> {
  let fromServer = await server.begin('alice');
  let rounds = 0;
  for (;;) {
    if (++rounds > 20_000) throw new Error('no end');
    if (link.next() < link.loss) continue;
    let step = await peer.process(fromServer.packet);
    if (link.next() < link.repeat) step = await peer.process(fromServer.packet);
    if (fromServer.state !== 'under-way' || step.state !== 'under-way')
      return { peer: step, server: fromServer, rounds };
    if (link.next() < link.loss) continue;
    const times = link.next() < link.repeat ? 2 : 1;
    for (let i = 0; i < times; i++) fromServer = await server.process(step.packet);
  }
}
