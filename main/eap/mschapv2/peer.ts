// EAP-MSCHAPv2, the peer's half (draft-kamath-pppext-eap-mschapv2-02 §3):
//
//   ◀─ Challenge
//      Response (24 bytes that prove the password, our own challenge)          ─▶
//   ◀─ Success (S=: that the server knows the password too), or Failure (E= R= C= M=)
//      Success or Failure alone; after Failure with R=1 another Response        ─▶

import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { isWireError } from '../../wire/error.ts';
import { harmless } from '../display.ts';
import { cancelledPrompt, EapError, eapProtocol, refusedCredentials } from '../error.ts';
import type { PeerMethod, PeerMethodStep } from '../method.ts';
import { EAP_TYPE } from '../packet.ts';
import type { EapSecrets } from '../types.ts';
import {
  authenticatorResponseOf,
  decodeMsChallenge,
  decodeMsText,
  encodeMsResponse,
  failureOf,
  MS_OPCODE,
  type MsFailure,
} from './message.ts';
import { authenticatorResponse, type Challenges, eapMsk, ntResponse, passwordHash } from './response.ts';

export interface MsChapV2Deps {
  readonly username: string;
  readonly random: RandomBytes;
  readonly secrets: EapSecrets;
}

type State =
  | { readonly kind: 'start' }
  /** Our Response is out. `hash` is wiped when the state is left. */
  | {
      readonly kind: 'responded';
      readonly challenges: Challenges;
      readonly hash: Uint8Array;
      readonly response: Uint8Array;
    }
  | { readonly kind: 'proven'; readonly msk: Uint8Array }
  | { readonly kind: 'over' };

export class MsChapV2Peer implements PeerMethod {
  readonly type = EAP_TYPE.mschapv2;
  readonly #deps: MsChapV2Deps;
  #state: State = { kind: 'start' };

  constructor(deps: MsChapV2Deps) {
    this.#deps = deps;
  }

  async process(data: Uint8Array): Promise<PeerMethodStep> {
    switch (data[0]) {
      case MS_OPCODE.challenge: {
        const challenge = decodeMsChallenge(data);
        if (isWireError(challenge)) return failed(eapProtocol(challenge.toString()));
        if (this.#state.kind !== 'start' && this.#state.kind !== 'responded')
          return failed(eapProtocol('an MSCHAPv2 challenge after the end'));
        // A challenge where an answer is due: some servers begin anew after a wrong password.
        const again = this.#state.kind === 'responded';
        return this.#respond(challenge.id, Uint8Array.from(challenge.challenge), again);
      }
      case MS_OPCODE.success:
        return this.#success(data);
      case MS_OPCODE.failure: {
        const failure = decodeMsText('failure', data);
        if (isWireError(failure)) return failed(eapProtocol(failure.toString()));
        return this.#failure(failure.id, failureOf(failure.text));
      }
      default:
        return failed(eapProtocol(`MSCHAPv2 OpCode ${data[0] ?? 'missing'}`));
    }
  }

  get complete(): boolean {
    return this.#state.kind === 'proven';
  }

  refusal(): EapError {
    return refusedCredentials('password');
  }

  msk(): Uint8Array | undefined {
    return this.#state.kind === 'proven' ? Uint8Array.from(this.#state.msk) : undefined;
  }

  close(): void {
    this.#become({ kind: 'over' });
  }

  async #respond(id: number, authenticator: Uint8Array, refused: boolean): Promise<PeerMethodStep> {
    const { username, random, secrets } = this.#deps;
    const before = this.#state;
    const password = await secrets.password({ refused });
    // Closed while a person was typing.
    if (this.#state !== before) return failed(cancelledPrompt('password'));
    if (password === null) return failed(refused ? refusedCredentials('password') : cancelledPrompt('password'));
    const challenges: Challenges = { authenticator, peer: random(16), username };
    const hash = passwordHash(password);
    const response = ntResponse(challenges, hash);
    this.#become({ kind: 'responded', challenges, hash, response });
    const name = new TextEncoder().encode(username);
    return {
      kind: 'respond',
      data: encodeMsResponse({ id, peerChallenge: challenges.peer, ntResponse: response, name }),
    };
  }

  #success(data: Uint8Array): PeerMethodStep {
    const state = this.#state;
    if (state.kind !== 'responded') return failed(eapProtocol('an MSCHAPv2 success that answers nothing'));
    const success = decodeMsText('success', data);
    if (isWireError(success)) return failed(eapProtocol(success.toString()));
    const proof = authenticatorResponseOf(success.text);
    const expected = authenticatorResponse(state.challenges, state.hash, state.response);
    if (!proof || !equalConstantTime(proof, expected)) {
      // RFC 2759 §5: a wrong one means that the server does not know the password.
      this.#become({ kind: 'over' });
      return failed(
        new EapError({
          reason: 'server-not-authentic',
          message: 'the gateway says that the password is right, but does not know it itself',
          remedy:
            'somebody may pose as the gateway: do not type the password again before the administrator has looked into it',
        }),
        Uint8Array.of(MS_OPCODE.failure),
      );
    }
    this.#become({ kind: 'proven', msk: eapMsk(state.hash, state.response) });
    return { kind: 'respond', data: Uint8Array.of(MS_OPCODE.success) };
  }

  async #failure(id: number, failure: MsFailure): Promise<PeerMethodStep> {
    if (this.#state.kind !== 'responded') return failed(eapProtocol('an MSCHAPv2 failure that answers nothing'));
    const again = failure.error === WRONG_PASSWORD && failure.retry && failure.challenge !== undefined;
    if (again && failure.challenge) {
      const step = await this.#respond(id, failure.challenge, true);
      if (step.kind === 'respond') return step;
    }
    this.#become({ kind: 'over' });
    return failed(failureError(failure), Uint8Array.of(MS_OPCODE.failure));
  }

  #become(state: State): void {
    if (this.#state.kind === 'responded') this.#state.hash.fill(0);
    if (this.#state.kind === 'proven') this.#state.msk.fill(0);
    this.#state = state;
  }
}

const failed = (error: EapError, data?: Uint8Array): PeerMethodStep => ({ kind: 'fail', error, data });

/** RFC 2759 §6. */
const WRONG_PASSWORD = 691;

/** What a Failure Request means. */
export function failureError({ error, message }: MsFailure): EapError {
  const words = harmless(message);
  const said = words === '' ? '' : ` (it says: “${words}”)`;
  switch (error) {
    case 646:
      return restricted(`the account may not log on at this hour${said}`);
    case 647:
      return restricted(`the account is disabled${said}`);
    case 649:
      return restricted(`the account has no permission to dial in${said}`);
    case 648:
      return new EapError({
        reason: 'password-expired',
        message: `the password has expired${said}`,
        remedy: 'change it where your organisation lets you (Culvert cannot), then connect with the new one',
      });
    case 709:
      return new EapError({
        reason: 'password-expired',
        message: `the password has to be changed${said}`,
        remedy: 'change it where your organisation lets you (Culvert cannot), then connect with the new one',
      });
    default: {
      const refused = refusedCredentials('password');
      return new EapError({ reason: refused.reason, message: `${refused.message}${said}`, remedy: refused.remedy });
    }
  }
}

const restricted = (what: string): EapError =>
  new EapError({ reason: 'account-restricted', message: what, remedy: 'ask the administrator of the gateway' });
