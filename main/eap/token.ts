// The plain methods of RFC 3748 §5.4-5.6, the peer's half. None makes a key or proves anything of the server: they run only
// where the gateway has proved itself, or through a tunnel. EAP-OTP and EAP-GTC show a prompt and take the answer in clear.
import { md5 } from '@noble/hashes/legacy.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { isWireError } from '../wire/error.ts';
import { bytes, decode, dependent, derived, encode, rest, struct, u8 } from '../wire/field.ts';
import { harmless } from './display.ts';
import { cancelledPrompt, type EapError, eapProtocol, refusedCredentials } from './error.ts';
import type { PeerMethod, PeerMethodStep } from './method.ts';
import { EAP_TYPE } from './packet.ts';
import type { EapSecrets } from './types.ts';

type Wanted = 'password' | 'code';

/** One question after another, as long as the server asks. `first`: what the first is answered with; the others get codes. */
export class TokenPeer implements PeerMethod {
  readonly type: number;
  readonly #first: Wanted;
  readonly #secrets: EapSecrets;
  #last: Wanted | undefined;

  constructor(type: typeof EAP_TYPE.gtc | typeof EAP_TYPE.otp, first: Wanted, secrets: EapSecrets) {
    this.type = type;
    this.#first = first;
    this.#secrets = secrets;
  }

  async process(data: Uint8Array): Promise<PeerMethodStep> {
    const wanted = this.#last === undefined ? this.#first : 'code';
    const answer =
      wanted === 'password'
        ? await this.#secrets.password({ refused: false })
        : await this.#secrets.code(harmless(data));
    if (answer === null) return { kind: 'fail', error: cancelledPrompt(wanted) };
    this.#last = wanted;
    return { kind: 'respond', data: new TextEncoder().encode(answer) };
  }

  get complete(): boolean {
    return this.#last !== undefined;
  }

  refusal(): EapError {
    return refusedCredentials(this.#last ?? this.#first);
  }

  msk(): undefined {}

  close(): void {}
}

/** EAP-MD5 (RFC 3748 §5.4, RFC 1994 §4.1), which a dictionary breaks. */
const md5Value = struct('EAP-MD5 value', {
  size: derived(u8, (whole: { value: Uint8Array }) => whole.value.length),
  value: dependent((number) => bytes(number('size'))),
  name: rest,
});

export const encodeMd5 = (value: Uint8Array, name: Uint8Array = new Uint8Array(0)): Uint8Array =>
  encode(md5Value, { value, name });
export const decodeMd5 = (data: Uint8Array) => decode(md5Value, data, 'EAP-MD5 value');
export const md5Response = (identifier: number, password: string, challenge: Uint8Array): Uint8Array =>
  md5(concatBytes(Uint8Array.of(identifier), new TextEncoder().encode(password), challenge));

export class Md5Peer implements PeerMethod {
  readonly type = EAP_TYPE.md5;
  readonly #secrets: EapSecrets;
  #answered = false;

  constructor(secrets: EapSecrets) {
    this.#secrets = secrets;
  }

  async process(data: Uint8Array, identifier: number): Promise<PeerMethodStep> {
    const challenge = decodeMd5(data);
    if (isWireError(challenge)) return { kind: 'fail', error: eapProtocol(challenge.toString()) };
    const password = await this.#secrets.password({ refused: this.#answered });
    if (password === null)
      return { kind: 'fail', error: this.#answered ? this.refusal() : cancelledPrompt('password') };
    this.#answered = true;
    return { kind: 'respond', data: encodeMd5(md5Response(identifier, password, challenge.value)) };
  }

  get complete(): boolean {
    return this.#answered;
  }

  refusal(): EapError {
    return refusedCredentials('password');
  }

  msk(): undefined {}

  close(): void {}
}
