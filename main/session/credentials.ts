// The password of a session: the profile's, or the person's. Kept in memory as long as the session lasts, so that a connection
// that comes back by itself asks nobody; never written anywhere. What the gateway has refused is not said to it again: a person
// is asked once more, and then it is over, because gateways lock accounts. One-time codes are asked for each time.
//
//   unknown ── ask ──▶ known ── refused ──▶ asked again ── refused ──▶ over
import { cancelledPrompt, EapError, refusedCredentials } from '../eap/error.ts';
import type { EapSecrets } from '../eap/types.ts';
import type { ProfileEap } from '../profile/authentication.ts';
import type { Profile } from '../profile/profile.ts';
import { type Failure, sessionFailure } from './failure.ts';
import type { Prompts } from './prompts.ts';

export interface CredentialsConfig {
  /** The gateway will want a password: it is asked for before the gateway waits for it. */
  readonly wanted: boolean;
  /** The profile's; null: the person's. */
  readonly password: string | null;
  readonly username: string;
  readonly gateway: string;
}

export interface Credentials {
  /** As in EapSecrets. `gone`: the IKE SA that asks has ended, and no person is to be asked for it any more. */
  password(request: Parameters<EapSecrets['password']>[0], gone?: AbortSignal): Promise<string | null>;
  code(prompt: string, gone?: AbortSignal): Promise<string | null>;
  /** Asks now for what will be wanted for certain. Rejects with an EapError: the gateway is not to be spoken to, who would have to answer does not want to. */
  ready(): Promise<void>;
  /** The gateway has refused it. True: the next attempt asks the person for another. */
  refused(what: 'password' | 'code'): boolean;
  /** Why the gateway fell silent, where it may be that a person took long to answer while it waited. */
  explain(failure: Failure): Failure;
  /** The tunnel is up: what was said is right. */
  accepted(): void;
  /** A person wants to go on: questions may be asked again. */
  willing(): void;
  /** The session has ended, or begins anew because a person wants it so. */
  forget(): void;
}

/** What this profile's way to authenticate wants. */
export function credentialsOf(profile: Profile): CredentialsConfig {
  const { gateway, authentication } = profile;
  const rounds = [authentication, ...(authentication.second ? [authentication.second] : [])];
  const byEap = rounds.find(({ method, eap }) => method === 'eap' && eap);
  const { eap, identity } = byEap ?? authentication;
  return {
    wanted: eap !== undefined && eap.password === null && eap.methods.some((method) => takesPassword(eap, method)),
    password: eap?.password ?? null,
    username: eap?.username ?? identity ?? '',
    gateway: gateway.host,
  };
}

/** EAP-TLS has a certificate; one-time codes are good for the moment in which they are asked for. */
function takesPassword(eap: ProfileEap, method: ProfileEap['methods'][number]): boolean {
  switch (method) {
    case 'mschapv2':
    case 'md5':
      return true;
    case 'gtc':
      return eap.gtc === 'password';
    case 'ttls':
    case 'peap':
      return (
        !eap.inner || eap.inner.some((inner) => inner === 'pap' || inner === 'mschapv2' || inner === 'eap-mschapv2')
      );
    case 'tls':
    case 'otp':
      return false;
  }
}

/** Seconds after which gateways may forget a client that does not answer. */
const LONG_WAIT = 10;
const SILENCE: readonly string[] = ['ike/no-response', 'session/timed-out'];

const didNotWait = (seconds: number): Failure =>
  sessionFailure(
    'session/gateway-did-not-wait',
    `The gateway waited for the password or code and has given up meanwhile (it took ${seconds} s).`,
    'Connect again, and have it at hand: many gateways wait for half a minute only.',
    { permanent: true },
  );

/** So many refusals, one after another, and it is over. */
const MOST_REFUSALS = 2;

export function createCredentials(config: CredentialsConfig, prompts: Prompts): Credentials {
  let known = config.password;
  let refusals = 0;
  /** What is known is wrong. */
  let wrong = false;
  let wrongCode = false;
  /** Cancelled or not answered: nobody is asked again of our own accord. */
  let unwilling: EapError | null = null;

  const ask = async (
    question: { readonly kind: 'password' | 'code'; readonly text: string },
    gone: AbortSignal | undefined,
  ): Promise<string | null> => {
    if (unwilling) throw unwilling;
    const { username, gateway } = config;
    try {
      const refused = question.kind === 'password' ? wrong : wrongCode;
      const answer = await prompts.ask({ ...question, username, gateway, refused }, gone);
      if (answer === null) unwilling = cancelledPrompt(question.kind);
      return answer;
    } catch (error) {
      // A question that was withdrawn is nobody's answer.
      if (error instanceof EapError && error.reason !== 'prompt-withdrawn') unwilling = error;
      throw error;
    }
  };

  const askPassword = async (gone?: AbortSignal): Promise<string | null> => {
    if (config.password !== null || refusals >= MOST_REFUSALS) throw refusedCredentials('password');
    const answer = await ask({ kind: 'password', text: '' }, gone);
    if (answer === null) return null;
    wrong = false;
    known = answer;
    return answer;
  };

  /** What persons had taken before the gateway waited for one. */
  let before = 0;

  return {
    async ready() {
      if (unwilling) throw unwilling;
      const wanted = config.wanted && (known === null || wrong);
      const answer = wanted ? await askPassword() : known;
      before = prompts.taken;
      if (wanted && answer === null) throw cancelledPrompt('password');
    },
    explain(failure) {
      const seconds = Math.round((prompts.taken - before) / 1000);
      return seconds >= LONG_WAIT && SILENCE.includes(failure.error.code) ? didNotWait(seconds) : failure;
    },
    async password({ refused }, gone) {
      if (refused) {
        wrong = true;
        refusals++;
        // Only a person has another.
        if (config.password !== null || refusals >= MOST_REFUSALS) return null;
      }
      return known !== null && !wrong ? known : askPassword(gone);
    },
    async code(text, gone) {
      if (refusals >= MOST_REFUSALS) throw refusedCredentials('code');
      const answer = await ask({ kind: 'code', text }, gone);
      wrongCode = false;
      return answer;
    },
    refused(what) {
      refusals++;
      if (what === 'password') wrong = true;
      else wrongCode = true;
      return refusals < MOST_REFUSALS && (what === 'code' || config.password === null);
    },
    accepted() {
      refusals = 0;
      unwilling = null;
    },
    willing() {
      unwilling = null;
    },
    forget() {
      known = config.password;
      refusals = 0;
      wrong = false;
      wrongCode = false;
      unwilling = null;
    },
  };
}
