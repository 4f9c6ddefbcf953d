// IKE_AUTH as a conversation: what one end sends, hears and asks, one after the other, as it stands in the RFCs. A conversation is
// a generator: it yields what it needs, is resumed with what came of it, and returns how it ended. Nobody but its phase
// (phase/initiator-auth.ts, phase/responder-auth.ts) resumes it; `return()` ends it early, and everything secret in it is wiped by
// its own `finally`. It has no clock, no socket and no random bytes.
import type { Message } from '../message.ts';
import type { Payload } from '../payload/payload.ts';
import type { IkeAnswer, IkeQuestion } from '../questions.ts';

export type Demand =
  /** The initiator: send this request, wait for its response. The responder: answer with this, wait for the next request. */
  | { readonly kind: 'exchange'; readonly payloads: readonly Payload[] }
  | { readonly kind: 'ask'; readonly question: IkeQuestion };

export type Reply =
  /** Opened, and legal by rules.ts. */
  { readonly kind: 'message'; readonly message: Message } | { readonly kind: 'answer'; readonly answer: IkeAnswer };

export type Conversation<T> = Generator<Demand, T, Reply>;

export function* exchange(payloads: readonly Payload[]): Conversation<Message> {
  const reply = yield { kind: 'exchange', payloads };
  if (reply.kind !== 'message') throw new Error('an exchange is answered by a message');
  return reply.message;
}

export function* ask(question: IkeQuestion): Conversation<IkeAnswer> {
  const reply = yield { kind: 'ask', question };
  if (reply.kind !== 'answer') throw new Error('a question is answered by an answer');
  return reply.answer;
}
