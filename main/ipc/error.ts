// An error that crosses the socket: code, message, remedy and data are the same on both sides.
import type { ContractError } from './contract.ts';

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

  constructor(fields: ContractError) {
    super(fields.message);
    this.code = fields.code;
    this.remedy = fields.remedy;
    this.data = fields.data;
  }

  /** As it goes over the wire. */
  toContract(): ContractError {
    const { code, message, remedy, data } = this;
    return { code, message, remedy, ...(data ? { data } : {}) };
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
