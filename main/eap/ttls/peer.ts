// Inside EAP-TTLS (RFC 5281 §11.2), the client's half: it speaks first, in attributes. PAP, MSCHAPv2 or EAP.

import { equalConstantTime } from '../../crypto/constant-time.ts';
import type { RandomBytes } from '../../crypto/random.ts';
import { isWireError } from '../../wire/error.ts';
import { harmless } from '../display.ts';
import { cancelledPrompt, EapError, eapProtocol, refusedCredentials } from '../error.ts';
import { authenticatorResponseOf, failureOf } from '../mschapv2/message.ts';
import { failureError } from '../mschapv2/peer.ts';
import { authenticatorResponse, ntResponse, passwordHash } from '../mschapv2/response.ts';
import { EAP_TYPE, encodeEap } from '../packet.ts';
import type { PeerConversation } from '../peer.ts';
import type { TlsEngine } from '../tls/engine.ts';
import { tlsMsk } from '../tls/keys.ts';
import type { InsideStep, PeerInside } from '../tls/peer.ts';
import type { EapSecrets } from '../types.ts';
import { type Avp, avpOf, decodeAvps, encodeAvps, isAvp } from './avp.ts';
import { implicitChallenge } from './challenge.ts';

const EMPTY = new Uint8Array(0);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One way to log in through the tunnel. */
interface Login {
  /** The first attributes. */
  begin(engine: TlsEngine): Promise<readonly Avp[] | EapError>;
  /** What the server answers; attributes to send, if any. */
  answer(avps: readonly Avp[]): Promise<readonly Avp[] | EapError>;
  readonly complete: boolean;
  refusal(): EapError;
  close(): void;
}

export interface TtlsDeps {
  readonly username: string;
  readonly random: RandomBytes;
  readonly secrets: EapSecrets;
}

export class TtlsInside implements PeerInside {
  readonly #login: Login;
  #begun = false;

  constructor(login: Login) {
    this.#login = login;
  }

  async turn(data: Uint8Array, engine: TlsEngine): Promise<InsideStep> {
    const avps = decodeAvps(data);
    if (isWireError(avps)) return { kind: 'fail', error: eapProtocol(avps.toString()) };
    if (!this.#begun) {
      this.#begun = true;
      return step(await this.#login.begin(engine));
    }
    return avps.length === 0 ? { kind: 'say', plain: EMPTY } : step(await this.#login.answer(avps));
  }

  get complete(): boolean {
    return this.#login.complete;
  }

  refusal(): EapError {
    return this.#login.refusal();
  }

  msk(engine: TlsEngine): Uint8Array {
    return tlsMsk(engine, EAP_TYPE.ttls);
  }

  close(): void {
    this.#login.close();
  }
}

const step = (result: readonly Avp[] | EapError): InsideStep =>
  result instanceof EapError
    ? { kind: 'fail', error: result }
    : { kind: 'say', plain: result.length > 0 ? encodeAvps(result) : EMPTY };

/** What the server would have us understand and we do not (RFC 5281 §10.1). */
const mandatoryUnknown = (avps: readonly Avp[]): EapError | undefined => {
  const unknown = avps.find((avp) => avp.mandatory && !isAvp(avp, 'replyMessage'));
  return unknown && eapProtocol(`TTLS attribute ${unknown.code} of vendor ${unknown.vendor}`);
};

/** RFC 5281 §11.2.5: the password in clear, inside; zeros fill it up to a multiple of 16, which hides its length a little. */
export function papLogin({ username, secrets }: TtlsDeps): Login {
  let sent = false;
  return {
    async begin() {
      const password = await secrets.password({ refused: false });
      if (password === null) return cancelledPrompt('password');
      const bytes = utf8(password);
      const padded = new Uint8Array(Math.max(16, Math.ceil(bytes.length / 16) * 16));
      padded.set(bytes);
      bytes.fill(0);
      sent = true;
      return [avpOf('userName', utf8(username)), avpOf('userPassword', padded)];
    },
    async answer(avps) {
      return mandatoryUnknown(avps) ?? [];
    },
    get complete() {
      return sent;
    },
    refusal: () => refusedCredentials('password'),
    close: () => {},
  };
}

/** RFC 5281 §11.2.4: both ends take the challenge from the TLS keys. */
export function msChapV2Login({ username, random, secrets }: TtlsDeps): Login {
  let expected: Uint8Array | undefined;
  let identifier = 0;
  let proven = false;
  return {
    async begin(engine) {
      const password = await secrets.password({ refused: false });
      if (password === null) return cancelledPrompt('password');
      const implicit = implicitChallenge(engine);
      identifier = implicit.identifier;
      const challenges = { authenticator: implicit.challenge, peer: random(16), username };
      const hash = passwordHash(password);
      const response = ntResponse(challenges, hash);
      expected = authenticatorResponse(challenges, hash, response);
      hash.fill(0);
      return [
        avpOf('userName', utf8(username)),
        avpOf('msChapChallenge', implicit.challenge),
        avpOf('msChap2Response', Uint8Array.of(identifier, 0, ...challenges.peer, ...new Uint8Array(8), ...response)),
      ];
    },
    async answer(avps) {
      const failure = avps.find((avp) => isAvp(avp, 'msChapError'));
      if (failure) return failureError(failureOf(harmless(failure.data.subarray(1))));
      const success = avps.find((avp) => isAvp(avp, 'msChap2Success'));
      if (!success) return mandatoryUnknown(avps) ?? [];
      const proof = authenticatorResponseOf(new TextDecoder().decode(success.data.subarray(1)));
      proven = success.data[0] === identifier && !!proof && !!expected && equalConstantTime(proof, expected);
      return proven
        ? []
        : new EapError({
            reason: 'server-not-authentic',
            message: 'the server says that the password is right, but does not know it itself',
            remedy: 'do not type the password again before the administrator has looked into it',
          });
    },
    get complete() {
      return proven;
    },
    refusal: () => refusedCredentials('password'),
    close: () => expected?.fill(0),
  };
}

/** RFC 5281 §11.2.1: the client begins with its identity, as if it had been asked. */
export function eapLogin(inner: PeerConversation): Login {
  const talk = async (packet: Uint8Array): Promise<readonly Avp[] | EapError> => {
    const answer = await inner.process(packet);
    if (answer.state === 'failure') return answer.error;
    return answer.packet.length > 0 ? [avpOf('eapMessage', answer.packet)] : [];
  };
  return {
    begin: () => talk(encodeEap({ kind: 'request', identifier: 0, type: EAP_TYPE.identity, data: EMPTY })),
    async answer(avps) {
      // A long packet may come in several attributes (RFC 5281 §11.2.1, RFC 3579 §3.1).
      const parts = avps.filter((avp) => isAvp(avp, 'eapMessage'));
      if (parts.length === 0) return mandatoryUnknown(avps) ?? [];
      return talk(Uint8Array.from(parts.flatMap((part) => [...part.data])));
    },
    get complete() {
      return inner.complete;
    },
    refusal: () => inner.refusal(),
    close: () => inner.close(),
  };
}
