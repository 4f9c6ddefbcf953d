// An error that crosses the socket: code, message, remedy and data are the same on both sides.
import { type ErrorCode, errorWords } from '../words/told.ts';
import type { ContractError, FieldProblem } from './contract.ts';

/** Codes of this layer; the others are the engine's ("profile/…", "ike/…", "net/…", "session/…", "daemon/…"). */
export type IpcErrorCode =
  /** No engine listens on the socket. */
  | 'ipc/not-running'
  /** The socket is there, but not for this user. */
  | 'ipc/no-permission'
  /** Another engine listens on the socket already. */
  | 'ipc/already-running'
  /** The socket could not be made. */
  | 'ipc/socket'
  /** The other side went away before it answered. */
  | 'ipc/disconnected'
  /** What came is not a message of the contract. */
  | 'ipc/bad-message'
  | 'ipc/unknown-call'
  | 'ipc/bad-params'
  /** The call, or the thing that it would change, is for administrators. */
  | 'ipc/not-allowed'
  /** The web page's address, origin or token is not right. */
  | 'ipc/web'
  /** Client and engine speak different versions of the contract. */
  | 'ipc/contract-version'
  /** Too many calls, clients or bytes at once. */
  | 'ipc/busy'
  /** A defect in the engine. */
  | 'ipc/internal';

export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: string;
  readonly remedy: string;
  readonly data: ContractError['data'];
  readonly mistakes: ContractError['mistakes'];

  constructor(fields: ContractError) {
    super(fields.message);
    this.code = fields.code;
    this.remedy = fields.remedy;
    this.data = fields.data;
    this.mistakes = fields.mistakes;
  }

  /** As it goes over the wire. */
  toContract(): ContractError {
    const { code, message, remedy, data, mistakes } = this;
    return { code, message, remedy, ...(data ? { data } : {}), ...(mistakes ? { mistakes } : {}) };
  }
}

export function ipcError(
  code: IpcErrorCode,
  message: string,
  remedy: string,
  data?: ContractError['data'],
): EngineError {
  return new EngineError({ code, message, remedy, ...(data ? { data } : {}) });
}

/** An error that is always said in the same words (main/words). */
export function knownError(code: ErrorCode, data?: NonNullable<ContractError['data']>): EngineError {
  return new EngineError({ code, ...errorWords(code, data), ...(data ? { data } : {}) });
}

/** What is wrong with one field of a form, said in those words. */
export function knownProblem(
  field: string,
  severity: FieldProblem['severity'],
  code: ErrorCode,
  data?: NonNullable<FieldProblem['data']>,
): FieldProblem {
  return { field, severity, code, ...errorWords(code, data), ...(data ? { data } : {}) };
}

/** One kind of algorithms ("encryption", "key-exchange") as the two ends have it; empty: not told. */
export interface Compared {
  readonly kind: string;
  readonly offered: string;
  readonly accepted: string;
}

const SIDE = /^(?:offered|accepted)\.(.+)$/;

/** What we offered and what the gateway told that it accepts, of an error about proposals; else empty. */
export function comparisonOf({
  data = {},
}: {
  readonly data?: ContractError['data'] | undefined;
}): readonly Compared[] {
  const kinds = new Set(Object.keys(data).flatMap((key) => SIDE.exec(key)?.[1] ?? []));
  const text = (key: string): string => String(data[key] ?? '');
  return [...kinds].map((kind) => ({
    kind,
    offered: text(`offered.${kind}`),
    accepted: text(`accepted.${kind}`),
  }));
}

/** The comparison as two columns of plain text, `width` characters each; '' where there is none. */
export function sideBySide(error: { readonly data?: ContractError['data'] | undefined }, width = 34): string {
  const rows = comparisonOf(error);
  if (rows.length === 0) return '';
  const kindWidth = Math.max(...rows.map(({ kind }) => kind.length));
  const line = (kind: string, left: string, right: string): string =>
    `${kind.padEnd(kindWidth)}  ${left.padEnd(width)}  ${right}`.trimEnd();
  const body = rows.flatMap(({ kind, offered, accepted }) => {
    const [left, right] = [wrapped(offered || '–', width), wrapped(accepted || 'not told', width)];
    return Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
      line(i === 0 ? kind : '', left[i] ?? '', right[i] ?? ''),
    );
  });
  return [line('', 'we offered', 'they accept'), ...body].join('\n');
}

/** Words in lines of at most `width` characters. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
