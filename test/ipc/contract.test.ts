// Every call of the contract, at the server: what is not right does not reach the engine, and who may not do it neither.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MOST_PROFILES } from '../../main/daemon/profiles.ts';
import { connectEngine, type EngineClient } from '../../main/ipc/client.ts';
import {
  CALL_NAMES,
  CALLS,
  CAPABILITIES,
  type CallName,
  CONTRACT_VERSION,
  type Role,
} from '../../main/ipc/contract.ts';
import { FAKE_MOST_PROFILES } from '../../main/ipc/fake.ts';
import { MOST_LINE_BYTES } from '../../main/ipc/framing.ts';
import { type Implementation, type IpcServer, serve } from '../../main/ipc/server.ts';
import { PARAMS } from './params.ts';

let directory: string;
let server: IpcServer | undefined;
let client: EngineClient | undefined;
let reached: string[];
let defects: unknown[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-contract-'));
});
afterEach(async () => {
  client?.close();
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** An engine that notes which calls reach it, and answers none rightly. */
async function open(role: Role, answers: Partial<Implementation> = {}): Promise<EngineClient> {
  reached = [];
  defects = [];
  const path = join(directory, 'engine.sock');
  const seen = (name: CallName) => async (): Promise<never> => {
    reached.push(name);
    throw new Error(name);
  };
  const implementation = Object.fromEntries(CALL_NAMES.map((name) => [name, seen(name)])) as Partial<Implementation>;
  server = await serve({
    path,
    implementation: {
      ...implementation,
      hello: async () => ({ version: 'x', contract: CONTRACT_VERSION }),
      ...answers,
    },
    identify: () => ({ role, uid: 1000 }),
    current: () => undefined,
    onDefect: (error) => defects.push(error),
  });
  client = await connectEngine(path);
  return client;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: { readonly code: string }) => error.code,
  );
/** As somebody would call who does not keep to the contract. */
const call = (engine: EngineClient, name: CallName, params: unknown): Promise<string> =>
  codeOf(engine.call(name, params as never));

type Path = readonly (string | number)[];
/** Every place in the parameters. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}
function put(value: unknown, [key, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const fields = copy as Record<string | number, unknown>;
  fields[key] = put(fields[key], rest, change);
  return copy;
}
const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], value);

const TESTED = CALL_NAMES.filter((name) => name !== 'subscribe' && name !== 'hello');

describe('parameters', () => {
  it.each(CALL_NAMES)('%s: of another kind, without end, or unknown reach nobody', async (name) => {
    const engine = await open('administrator');
    const right = PARAMS[name];
    for (const path of placesIn(right)) {
      const old = at(right, path);
      const others = [7.5, { x: {} }, [[]], true, 'x'.repeat(1024 * 1024 + 1)].filter(
        (other) => typeof other !== typeof old || (typeof other === 'string' && other.length > 1024),
      );
      for (const other of others) {
        const wrong = put(right, path, () => other);
        const told = await call(engine, name, wrong);
        expect([told, JSON.stringify(wrong).slice(0, 80)]).toEqual(['ipc/bad-params', expect.any(String)]);
      }
      if (Array.isArray(old)) {
        const many = put(right, path, () => Array.from({ length: 100_001 }, () => 0));
        expect(await call(engine, name, many)).toBe('ipc/bad-params');
      }
    }
    expect(await call(engine, name, { ...right, unknown: 1 })).toBe('ipc/bad-params');
    expect(reached).toEqual([]);
  });

  it('that are right reach the engine', async () => {
    const engine = await open('administrator');
    for (const name of TESTED) expect(await call(engine, name, PARAMS[name])).toBe('ipc/internal');
    expect(reached).toEqual(TESTED);
  });

  it.each(['constructor', '__proto__', 'hasOwnProperty', 'toString', 'nothing', ''])(
    'there is no call %j',
    async (name) => {
      const engine = await open('administrator');
      expect(await call(engine, name as CallName, {})).toBe('ipc/unknown-call');
      expect(reached).toEqual([]);
    },
  );
});

describe.each(['user', 'administrator'] as const)('a %s', (role) => {
  it('reaches exactly what it may', async () => {
    const engine = await open(role);
    const told = new Map<string, string>();
    for (const name of TESTED) told.set(name, await call(engine, name, PARAMS[name]));
    for (const name of TESTED) {
      const may = CAPABILITIES[role].includes(CALLS[name].needs);
      expect([name, told.get(name)]).toEqual([name, may ? 'ipc/internal' : 'ipc/not-allowed']);
      expect([name, reached.includes(name)]).toEqual([name, may]);
    }
  });
});

it('only locking is for administrators alone, and no call that changes something is for looking', () => {
  const needing = (needs: string): readonly string[] => CALL_NAMES.filter((name) => CALLS[name].needs === needs);
  expect(needing('administer')).toEqual(['lock']);
  // Their own settings are each caller's own.
  expect(
    needing('look').filter((name) => /^(set[A-Z]|add|edit|remove|rename|import|reset|lock|connect|cancel)/.test(name)),
  ).toEqual(['setSettings']);
});

it('an answer that is longer than a message may be is an error, not the end of the connection', async () => {
  const entry = { time: 0, level: 'info', area: 'x', text: 'x'.repeat(1024) } as const;
  const entries = Array.from({ length: MOST_LINE_BYTES / 1024 }, () => entry);
  const engine = await open('user', { logs: async () => ({ entries }) });
  expect(await codeOf(engine.call('logs', { lines: 5000 }))).toBe('ipc/internal');
  expect(defects).toHaveLength(1);
  expect(await call(engine, 'status', {})).toBe('ipc/internal');
  expect(reached).toEqual(['status']);
});

it('the double keeps as many profiles as the engine', () => {
  expect(FAKE_MOST_PROFILES).toBe(MOST_PROFILES);
});
