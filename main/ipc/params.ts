// Runtime checks of what clients send: the engine is privileged and believes nobody. One schema per call of the contract;
// the compiler holds the two together.
import { z } from 'zod';
import type { CallName, Calls, EventName } from './contract.ts';

export const EVENT_NAMES = ['status', 'traffic', 'log'] as const satisfies readonly EventName[];

const none = z.strictObject({});
const profile = z.string().min(1).max(255);

type ParamSchemas = { readonly [K in CallName]: z.ZodType<Calls[K]['params']> };

export const PARAMS: ParamSchemas = {
  hello: z.strictObject({ contract: z.int().min(0).max(1_000_000) }),
  status: none,
  connect: z.strictObject({ profile }),
  disconnect: none,
  import: z.strictObject({ text: z.string().max(1024 * 1024), replace: z.boolean() }),
  list: none,
  remove: z.strictObject({ profile }),
  logs: z.strictObject({ lines: z.int().min(0).max(100_000) }),
  subscribe: z.strictObject({ events: z.array(z.enum(EVENT_NAMES)).max(EVENT_NAMES.length) }),
};

/** The line of a call: its number, its name and its parameters, which are checked by the call's own schema. */
export const REQUEST = z.strictObject({
  id: z.int().min(0),
  call: z.string().max(64),
  params: z.unknown().optional(),
});

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(PARAMS, name);
}

/** Where and what, for the person who writes a client. */
export function issueText(error: z.ZodError): string {
  return error.issues
    .map((issue) => `${issue.path.map((key) => `/${String(key)}`).join('') || 'params'}: ${issue.message}`)
    .join('; ');
}
