// Who answers what an IKE SA asks (main/ike/questions.ts): keys in a store, certificates, passwords, people. One answerer for
// each IKE SA, because EAP methods have a state; made by whoever composes the session.
//
//   ask(id) ─▶ answer(question) ─ takes as long as it takes ─▶ event answer(id)
//   the SA ends ─▶ close(): secrets are wiped, nobody is asked any more; answers that come later are ignored
import type { EapSecrets } from '../eap/types.ts';
import type { IkeAnswer, IkeQuestion } from '../ike/questions.ts';
import type { Profile } from '../profile/profile.ts';

export interface Answerer {
  /** A rejection is taken for a fault of ours and ends the SA; what a person should hear is an answer `failed`. */
  answer(question: IkeQuestion): Promise<IkeAnswer>;
  close(): void;
}

/** Called once for each IKE SA that is begun. `secrets`: the session's password and one-time codes, from profile, memory or person. */
export type CreateAnswerer = (profile: Profile, secrets: EapSecrets) => Answerer;
