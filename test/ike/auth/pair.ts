// Two conversations of IKE_AUTH with each other: no network and no phase between, every message checked against the rules.
import { announcedIn, initiatorAnnouncements, responderAnnouncements } from '../../../main/ike/auth/announced.ts';
import type { Conversation, Demand, Reply } from '../../../main/ike/auth/conversation.ts';
import { type AuthConfig, authenticateInitiator, type InitiatorEnd } from '../../../main/ike/auth/initiator.ts';
import { authenticateResponder, PSK_ONLY, type ResponderEnd } from '../../../main/ike/auth/responder.ts';
import { Exchange, type Message } from '../../../main/ike/message.ts';
import { NotifyType, notifyName } from '../../../main/ike/notify.ts';
import type { Payload } from '../../../main/ike/payload/payload.ts';
import type { ResponderAuthentication } from '../../../main/ike/responder-config.ts';
import { checkMessage } from '../../../main/ike/rules.ts';
import type { IkeSa } from '../../../main/ike/sa.ts';
import { bytes, initiatorConfig, responderConfig, selector } from '../../sim/parties.ts';
import { saOf } from '../agreed.ts';
import { answerer, type FakeAnswers } from './answers.ts';

export interface PairOptions {
  readonly initiator?: Partial<AuthConfig> | undefined;
  readonly responder?: Partial<ResponderAuthentication> | undefined;
  readonly client?: FakeAnswers;
  readonly gateway?: FakeAnswers;
  /** Does not know what the other says about authentication in IKE_SA_INIT. */
  readonly deaf?: 'client' | 'gateway';
  /** What becomes of each message: number of the exchange, from 0. */
  readonly touch?: (payloads: readonly Payload[], response: boolean, exchange: number) => readonly Payload[];
  readonly intAuth?: { readonly client: Uint8Array; readonly gateway: Uint8Array };
}

export interface PairResult {
  readonly initiator: InitiatorEnd;
  /** Undefined: it waits for more. */
  readonly responder: ResponderEnd | undefined;
  /** "IDi SA TSi TSr" → per message, in order. */
  readonly messages: readonly string[];
  readonly sas: { readonly initiator: IkeSa; readonly responder: IkeSa };
}

const CHILD: readonly Payload[] = [
  { kind: 'sa', proposals: [] },
  { kind: 'tsi', selectors: [selector('10.0.0.1/32')] },
  { kind: 'tsr', selectors: [selector('10.0.0.2/32')] },
];
const CHILD_KINDS = new Set(['sa', 'tsi', 'tsr']);

export function runPair(options: PairOptions = {}): PairResult {
  const sas = { initiator: saOf('initiator'), responder: saOf('responder') };
  sas.initiator.intAuth = options.intAuth?.client;
  sas.responder.intAuth = options.intAuth?.gateway;
  const config = { ...initiatorConfig(), ...options.initiator };
  const rules = { ...PSK_ONLY, ...options.responder };
  const heard = announcedIn(options.deaf === 'gateway' ? [] : initiatorAnnouncements(config));
  const announced = announcedIn(options.deaf === 'client' ? [] : responderAnnouncements(rules, heard));
  const client = answerer('client', options.client);
  const gateway = answerer('gateway', options.gateway);

  const initiator = authenticateInitiator({ config, sa: sas.initiator, announced, offer: CHILD });
  let responder: Conversation<ResponderEnd> | undefined;
  const messages: string[] = [];
  const touch = options.touch ?? ((payloads) => payloads);

  let exchanges = 0;
  let step = settle(initiator, initiator.next(), client);
  for (;;) {
    if (step.done) return { initiator: step.value, responder: undefined, messages, sas };
    const request = messageOf(touch(payloadsOf(step.value), false, exchanges), false);
    messages.push(summary(request));
    let answer: IteratorResult<Demand, ResponderEnd>;
    if (!responder) {
      responder = authenticateResponder(
        { config: { ...responderConfig(), authentication: rules }, sa: sas.responder, announced: heard },
        request,
      );
      answer = settle(responder, responder.next(), gateway);
    } else answer = settle(responder, responder.next({ kind: 'message', message: request }), gateway);
    const plain = answer.done
      ? [...answer.value.payloads, ...(answer.value.kind === 'authenticated' ? CHILD : [])]
      : payloadsOf(answer.value);
    const response = messageOf(touch(plain, true, exchanges++), true);
    messages.push(summary(response));
    step = settle(initiator, initiator.next({ kind: 'message', message: response }), client);
    if (answer.done) {
      if (!step.done) throw new Error('the initiator wants more of a responder that is through');
      return { initiator: step.value, responder: answer.value, messages, sas };
    }
  }
}

/** Answers questions until the conversation wants to send something, or is over. */
export function settle<T>(
  conversation: Conversation<T>,
  first: IteratorResult<Demand, T>,
  answers: ReturnType<typeof answerer>,
): IteratorResult<Demand, T> {
  let next = first;
  while (!next.done && next.value.kind === 'ask') {
    const reply: Reply = { kind: 'answer', answer: answers(next.value.question) };
    next = conversation.next(reply);
  }
  return next;
}

const payloadsOf = (demand: Demand): readonly Payload[] => {
  if (demand.kind !== 'exchange') throw new Error('a question was left open');
  return demand.payloads;
};

export function messageOf(payloads: readonly Payload[], response: boolean): Message {
  const header = { SPIi: 1n, SPIr: 2n, exchange: Exchange.IKE_AUTH, initiator: !response, response, messageId: 1 };
  const message = { header, payloads, protected: true };
  const violation = checkMessage(message);
  if (violation) throw new Error(`${summary(message)}: ${violation.text}`);
  return message;
}

/** The CHILD SA's payloads are "CHILD"; what says nothing about authentication is left out. */
export function summary({ payloads }: Message): string {
  const names = payloads
    .filter(({ kind }) => !CHILD_KINDS.has(kind))
    .map((p) => (p.kind === 'notify' ? `N(${notifyName(p.type)})` : p.kind.toUpperCase()));
  return [...names, ...(payloads.some(({ kind }) => kind === 'sa') ? ['CHILD'] : [])].join(' ');
}

export const without = (type: number) => (payloads: readonly Payload[]) =>
  payloads.filter((p) => p.kind !== 'notify' || p.type !== type);

export const PSK = bytes('correct horse battery staple');
export const N = NotifyType;
