// What can go wrong between the engine and the operating system: a closed union, each with what a person should do.
export type NetErrorCode =
  | 'no-permission'
  | 'no-tun-device'
  | 'name-taken'
  | 'address-in-use'
  | 'unreachable'
  | 'command-failed'
  | 'command-missing'
  | 'unsupported'
  | 'system-call';

export class NetError extends Error {
  override readonly name = 'NetError';
  readonly code: NetErrorCode;
  /** What was tried: a system call or a command line. */
  readonly operation: string;
  /** The OS error number's name ("EPERM"), where there is one. */
  readonly errno: string | undefined;
  /** What a person can do about it. */
  readonly remedy: string;

  constructor(fields: { code: NetErrorCode; message: string; operation: string; errno?: string; remedy: string }) {
    super(fields.message);
    this.code = fields.code;
    this.operation = fields.operation;
    this.errno = fields.errno;
    this.remedy = fields.remedy;
  }
}
