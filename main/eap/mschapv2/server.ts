// EAP-MSCHAPv2, the authenticator's half (draft-kamath-pppext-eap-mschapv2-02 §3; the flow is drawn in peer.ts). It knows
// passwords in clear: those of the embedded gateway's own configuration, and of tests.
import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { isWireError } from '../../wire/error.ts';
import type { ServerMethod, ServerMethodStep } from '../method.ts';
import { EAP_TYPE } from '../packet.ts';
import type { EapAccount } from '../types.ts';
import { decodeMsResponse, encodeMsChallenge, encodeMsText, MS_OPCODE } from './message.ts';
import { authenticatorResponse, type Challenges, eapMsk, ntResponse, passwordHash } from './response.ts';

export interface MsChapV2ServerConfig {
  readonly name: string;
  readonly account: (identity: string) => EapAccount | null;
  readonly attempts: number;
  readonly random: RandomBytes;
}

type State =
  | { readonly kind: 'challenged'; readonly challenge: Uint8Array; readonly wrong: number }
  | { readonly kind: 'accepted'; readonly msk: Uint8Array; readonly identity: string }
  | { readonly kind: 'refused' };

export class MsChapV2Server implements ServerMethod {
  readonly type = EAP_TYPE.mschapv2;
  readonly #config: MsChapV2ServerConfig;
  #state: State;

  constructor(config: MsChapV2ServerConfig) {
    this.#config = config;
    this.#state = { kind: 'challenged', challenge: config.random(16), wrong: 0 };
  }

  async begin(identifier: number): Promise<Uint8Array> {
    if (this.#state.kind !== 'challenged') throw new RangeError('begun twice');
    const name = new TextEncoder().encode(this.#config.name);
    return encodeMsChallenge({ id: identifier, challenge: this.#state.challenge, name });
  }

  async process(data: Uint8Array, next: number): Promise<ServerMethodStep> {
    const state = this.#state;
    switch (state.kind) {
      case 'challenged':
        // The peer gives up: its password was wrong, and it has no other.
        if (data.length === 1 && data[0] === MS_OPCODE.failure && state.wrong > 0)
          return { kind: 'failure', because: 'the password is wrong' };
        return this.#check(data, next, state.challenge, state.wrong);
      case 'accepted':
        if (data.length === 1 && data[0] === MS_OPCODE.success)
          return { kind: 'success', msk: Uint8Array.from(state.msk), identity: state.identity };
        return data[0] === MS_OPCODE.failure
          ? { kind: 'failure', because: 'the peer does not believe us' }
          : { kind: 'ignore' };
      case 'refused':
        return { kind: 'failure', because: 'the user name or password is wrong' };
    }
  }

  close(): void {
    if (this.#state.kind === 'accepted') this.#state.msk.fill(0);
    this.#state = { kind: 'refused' };
  }

  #check(data: Uint8Array, next: number, challenge: Uint8Array, wrong: number): ServerMethodStep {
    const response = decodeMsResponse(data);
    if (isWireError(response)) return { kind: 'ignore' };
    const identity = new TextDecoder().decode(response.name);
    const account = this.#config.account(identity);
    const challenges: Challenges = { authenticator: challenge, peer: response.peerChallenge, username: identity };
    // An unknown name costs the same time as a wrong password.
    const hash = passwordHash(account?.password ?? '');
    const right = equalConstantTime(ntResponse(challenges, hash), response.ntResponse) && account !== null;
    if (!right) {
      hash.fill(0);
      const retry = wrong + 1 < this.#config.attempts;
      const fresh = this.#config.random(16);
      this.#state = retry ? { kind: 'challenged', challenge: fresh, wrong: wrong + 1 } : { kind: 'refused' };
      const text = `E=691 R=${retry ? 1 : 0} C=${Buffer.from(fresh).toString('hex').toUpperCase()} V=3 M=Wrong user name or password`;
      return { kind: 'request', data: encodeMsText('failure', next, text) };
    }
    const proof = authenticatorResponse(challenges, hash, response.ntResponse);
    this.#state = { kind: 'accepted', msk: eapMsk(hash, response.ntResponse), identity };
    hash.fill(0);
    const text = `S=${Buffer.from(proof).toString('hex').toUpperCase()} M=Welcome`;
    return { kind: 'request', data: encodeMsText('success', next, text) };
  }
}
