// EAP-GTC, EAP-OTP and EAP-MD5, the authenticator's half (RFC 3748 §5.4-5.6).
import { equalConstantTime } from '../crypto/constant-time.ts';
import type { RandomBytes } from '../crypto/random.ts';
import { isWireError } from '../wire/error.ts';
import type { ServerMethod, ServerMethodStep } from './method.ts';
import { EAP_TYPE } from './packet.ts';
import { decodeMd5, encodeMd5, md5Response } from './token.ts';
import type { EapAccount } from './types.ts';

/** Does the account take these words? Its password, or a code. */
export function takes(account: EapAccount | null, answer: string): boolean {
  const given = new TextEncoder().encode(answer);
  const right = new TextEncoder().encode(account?.password ?? '');
  if (account !== null && equalConstantTime(given, right)) return true;
  return account?.acceptsCode?.(answer) ?? false;
}

export class TokenServer implements ServerMethod {
  readonly type: number;
  readonly #prompt: string;
  readonly #identity: string;
  readonly #account: EapAccount | null;

  constructor(
    type: typeof EAP_TYPE.gtc | typeof EAP_TYPE.otp,
    prompt: string,
    identity: string,
    account: EapAccount | null,
  ) {
    this.type = type;
    this.#prompt = prompt;
    this.#identity = identity;
    this.#account = account;
  }

  async begin(): Promise<Uint8Array> {
    return new TextEncoder().encode(this.#prompt);
  }

  async process(data: Uint8Array): Promise<ServerMethodStep> {
    return takes(this.#account, new TextDecoder().decode(data))
      ? { kind: 'success', msk: undefined, identity: this.#identity }
      : { kind: 'failure', because: 'the password or code is wrong' };
  }

  close(): void {}
}

export class Md5Server implements ServerMethod {
  readonly type = EAP_TYPE.md5;
  readonly #challenge: Uint8Array;
  readonly #identity: string;
  readonly #account: EapAccount | null;
  #identifier = 0;

  constructor(identity: string, account: EapAccount | null, random: RandomBytes) {
    this.#challenge = random(16);
    this.#identity = identity;
    this.#account = account;
  }

  async begin(identifier: number): Promise<Uint8Array> {
    this.#identifier = identifier;
    return encodeMd5(this.#challenge);
  }

  async process(data: Uint8Array): Promise<ServerMethodStep> {
    const response = decodeMd5(data);
    if (isWireError(response)) return { kind: 'ignore' };
    const expected = md5Response(this.#identifier, this.#account?.password ?? '', this.#challenge);
    return equalConstantTime(response.value, expected) && this.#account !== null
      ? { kind: 'success', msk: undefined, identity: this.#identity }
      : { kind: 'failure', because: 'the password is wrong' };
  }

  close(): void {}
}
