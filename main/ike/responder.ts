// A responder: many IKE SAs behind one pair of sockets. Demultiplexes by SPI (RFC 7296 §2.6), answers IKE_SA_INIT without state as far
// as it can, bounds what half-open SAs may cost, and answers strangers rarely (§2.21.4).
import { createHash } from 'node:crypto';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import { sameBytes } from '../wire/bytes.ts';
import { isWireError, type WireError } from '../wire/error.ts';
import type { Announced } from './auth/announced.ts';
import { PSK_ONLY } from './auth/responder.ts';
import { CookieJar } from './cookie.ts';
import { crashTokenNotifies } from './crash-token.ts';
import { Deadlines } from './deadlines.ts';
import type { LastAnswer } from './exchange.ts';
import { DATAGRAM_SIZES } from './fragment.ts';
import { HalfOpen } from './half-open.ts';
import { type Identity, sameIdentity } from './identity.ts';
import {
  decodeHeader,
  decodeMessage,
  Exchange,
  encodeMessage,
  exchangeName,
  HEADER_BYTES,
  type Header,
} from './message.ts';
import { notifyOf } from './notifies.ts';
import { NotifyType } from './notify.ts';
import type { IkeDeps, IkeEffect, IkeResponder, IkeResponderEffect, IkeResponderEvent, SaName } from './peer.ts';
import type { ResponderConfig } from './responder-config.ts';
import { type Arrival, ResponderSa, type ResponderSaTerms } from './responder-sa.ts';
import { checkMessage } from './rules.ts';
import type { IkeSa } from './sa.ts';
import { randomChildSpi, randomSpi } from './spi.ts';
import { answerIkeInit } from './task/ike-init-responder.ts';
import { answerSessionResume } from './task/session-resume-responder.ts';
import { TicketStore } from './ticket.ts';
import type { Instant } from './timing.ts';
import type { Transport } from './transport.ts';

/** Half-open SAs in all; more IKE_SA_INITs are dropped, their senders try again. */
const MOST_HALF_OPEN = 1024;
/** … and of one address, or one /64 of IPv6, so that nobody takes the places of all others. */
const MOST_HALF_OPEN_OF_ONE = 64;
/** From so many on we ask for a cookie: else somebody could fill the places of an address that is not theirs. */
const COOKIE_THRESHOLD_OF_ONE = 32;
/** Answers to strangers (INVALID_IKE_SPI, INVALID_MAJOR_VERSION) per second (RFC 7296 §2.21.4). */
const STRANGERS_PER_SECOND = 10;
/** The last answer of an SA that has ended is repeated for so long, for the peer that did not get it. */
const LINGER = 30_000;
const MOST_LINGERING = 256;

interface Lingering extends LastAnswer {
  readonly until: Instant;
}

export function createResponder(config: ResponderConfig, deps: IkeDeps): IkeResponder {
  return new Responder(config, deps);
}

class Responder implements IkeResponder {
  readonly #config: ResponderConfig;
  readonly #deps: IkeDeps;
  readonly #cookies: CookieJar;
  readonly #tickets: TicketStore | undefined;
  readonly #sas = new Map<SaName, ResponderSa>();
  /** SAs by the IKE_SA_INIT that made them (RFC 7296 §2.1: its SPIi alone would not do), and the other way round. */
  readonly #inits = new Map<string, SaName>();
  readonly #initOf = new Map<SaName, string>();
  readonly #halfOpen = new HalfOpen();
  readonly #deadlines = new Deadlines();
  /** SAs that the event at hand has reached: only they can have effects, and another deadline than before. */
  readonly #touched = new Set<SaName>();
  /** Which of them a message is for, by our SPI in it: a rekeyed SA (RFC 7296 §2.18) keeps its name and gets other SPIs. */
  readonly #routes = new Map<bigint, SaName>();
  readonly #spisOf = new Map<SaName, readonly bigint[]>();
  /** By our SPI. */
  readonly #lingering = new Map<bigint, Lingering>();
  #out: IkeResponderEffect[] = [];
  #timer: Instant | null = null;
  #strangers = { since: 0, answered: 0 };

  constructor(config: ResponderConfig, deps: IkeDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#cookies = new CookieJar(deps.random);
    const { ticketLifetime } = config;
    this.#tickets = ticketLifetime ? new TicketStore(ticketLifetime, deps.random) : undefined;
  }

  handle(event: IkeResponderEvent, now: Instant): IkeResponderEffect[] {
    switch (event.kind) {
      case 'datagram':
        this.#receive(event, now);
        break;
      case 'timer':
        this.#timer = null;
        for (const name of this.#deadlines.due(now)) this.#touch(name)?.tick(now);
        break;
      case 'close':
        for (const name of this.#sas.keys())
          if (event.sa === undefined || event.sa === name) this.#touch(name)?.handle(event, now);
        break;
      case 'answer':
        this.#touch(event.sa)?.answer(event.id, event.answer, now);
        break;
      default:
        this.#touch(event.sa)?.handle(event, now);
        break;
    }
    return this.#finish(now);
  }

  #finish(now: Instant): IkeResponderEffect[] {
    for (const name of this.#touched) {
      const sa = this.#sas.get(name);
      if (!sa) continue;
      for (const effect of sa.take()) this.#out.push({ sa: name, effect });
      if (!sa.isHalfOpen) this.#halfOpen.delete(name);
      this.#route(name, sa.isClosed ? [] : sa.localSpis);
      this.#deadlines.set(name, sa.isClosed ? null : sa.deadline);
      if (!sa.isClosed) continue;
      this.#forgetInit(name);
      this.#sas.delete(name);
      for (const { localSpi, last } of sa.lastAnswers) this.#linger(localSpi, { ...last, until: now + LINGER });
    }
    this.#touched.clear();
    const deadline = this.#deadlines.earliest;
    if (deadline !== this.#timer) {
      this.#timer = deadline;
      this.#push({ kind: 'timer', at: deadline });
    }
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #touch(name: SaName): ResponderSa | undefined {
    this.#touched.add(name);
    return this.#sas.get(name);
  }

  #route(name: SaName, spis: readonly bigint[]): void {
    for (const spi of this.#spisOf.get(name) ?? []) this.#routes.delete(spi);
    for (const spi of spis) this.#routes.set(spi, name);
    if (spis.length > 0) this.#spisOf.set(name, spis);
    else this.#spisOf.delete(name);
  }

  #forgetInit(name: SaName): void {
    const key = this.#initOf.get(name);
    if (key !== undefined) this.#inits.delete(key);
    this.#initOf.delete(name);
  }

  #receive(arrival: Arrival, now: Instant): void {
    const header = decodeHeader(arrival.bytes);
    if (isWireError(header)) {
      this.#receiveMangled(header, arrival, now);
      return;
    }
    if (header.SPIr === 0n) {
      this.#receiveInit(arrival, header, now);
      return;
    }
    // RFC 7296 §3.1: the original initiator's SPI is the first. After a rekeying of ours that is us.
    const localSpi = header.initiator ? header.SPIr : header.SPIi;
    const name = this.#routes.get(localSpi);
    const sa = name === undefined ? undefined : this.#touch(name);
    if (sa?.owns(header)) {
      sa.receive(arrival, header, now);
      return;
    }
    // RFC 6290 §9.2: nobody gets the token of an SA that lives, whatever the header's flags say of who is who.
    const either = [header.SPIr, header.SPIi].map((spi) => this.#sas.get(this.#routes.get(spi) ?? ''));
    if (either.some((one) => one?.owns(header))) {
      this.#debug('dropped an IKE message that claims to come from us', arrival.from);
      return;
    }
    const last = this.#lingering.get(localSpi);
    if (last && now < last.until && sameBytes(last.request, arrival.bytes)) {
      for (const bytes of last.response) this.#send(bytes, arrival);
      return;
    }
    this.#debug('dropped an IKE message of an unknown SA', arrival.from);
    if (header.response || header.exchange === Exchange.IKE_SA_INIT || !this.#mayAnswerStranger(now)) return;
    const { SPIi, SPIr, exchange, messageId } = header;
    const answer = { SPIi, SPIr, exchange, initiator: !header.initiator, response: true, messageId };
    const tokens = crashTokenNotifies(this.#config.crashSecrets ?? [], SPIi, SPIr);
    this.#send(encodeMessage(answer, [notifyOf(NotifyType.INVALID_IKE_SPI), ...tokens]), arrival);
  }

  #receiveInit(arrival: Arrival, header: Header, now: Instant): void {
    const { exchange, response, initiator, messageId } = header;
    const begins = exchange === Exchange.IKE_SA_INIT || exchange === Exchange.IKE_SESSION_RESUME;
    if (!begins || response || !initiator || messageId !== 0 || header.SPIi === 0n) {
      this.#debug('dropped an IKE message that is not for us', arrival.from);
      return;
    }
    const key = initKey(arrival);
    const known = this.#inits.get(key);
    if (known) {
      this.#touch(known)?.repeatInit(arrival.from, arrival.transport);
      return;
    }
    const message = decodeMessage(arrival.bytes);
    if (isWireError(message)) {
      this.#debug(`dropped an IKE_SA_INIT: ${message.toString()}`, arrival.from);
      return;
    }
    const violation = checkMessage(message);
    if (violation) {
      this.#debug(`refused an IKE_SA_INIT: ${violation.text}`, arrival.from);
      if (violation.kind === 'protection' || !this.#mayAnswerStranger(now)) return;
      // RFC 7296 §2.5: the requester learns what it may not send.
      const data = violation.kind === 'critical' ? Uint8Array.of(violation.payloadType) : new Uint8Array(0);
      const notify = notifyOf(violation.notify, data);
      this.#send(encodeMessage({ ...header, initiator: false, response: true }, [notify]), arrival);
      return;
    }
    const halfOpen = this.#halfOpen.size;
    const ofOne = this.#halfOpen.of(arrival.from.address);
    if (halfOpen >= MOST_HALF_OPEN || ofOne >= MOST_HALF_OPEN_OF_ONE) {
      this.#debug(
        `dropped an IKE_SA_INIT: ${halfOpen} peers are half-way already, ${ofOne} of them there`,
        arrival.from,
      );
      return;
    }
    const { cookieThreshold } = this.#config;
    const isMuch =
      halfOpen >= cookieThreshold || (ofOne >= COOKIE_THRESHOLD_OF_ONE && Number.isFinite(cookieThreshold));
    const deps = {
      random: this.#deps.random,
      cookies: isMuch || this.#asksPuzzles ? this.#cookies : undefined,
      now,
      newSpi: () => this.#newSpi(),
    };
    const policy = {
      proposals: this.#config.proposals,
      feignNat: this.#config.encapsulation === 'udp',
      fragmentSizes: this.#config.fragmentSizes ?? DATAGRAM_SIZES,
      authentication: this.#config.authentication ?? PSK_ONLY,
      redirect: this.#config.redirect?.atOnce,
      puzzle: this.#asksPuzzles ? this.#config.puzzle : undefined,
    };
    const request = { ...arrival, message };
    const answer =
      exchange === Exchange.IKE_SA_INIT
        ? answerIkeInit(request, policy, deps)
        : answerSessionResume(request, policy, { ...deps, tickets: this.#tickets });
    switch (answer.kind) {
      case 'ignored':
        this.#debug(`dropped an IKE_SA_INIT: ${answer.why}`, arrival.from);
        return;
      case 'stateless':
        this.#debug(`answered an ${exchangeName(exchange)}: ${answer.why}`, arrival.from);
        if ('disagreement' in answer && answer.disagreement && this.#mayAnswerStranger(now)) {
          const text = `no algorithms in common with ${formatEndpoint(arrival.from)}\n${answer.disagreement}`;
          this.#push({ kind: 'log', level: 'info', text });
        }
        this.#send(answer.response, arrival);
        return;
      case 'agreed':
        this.#open(key, answer, { puzzle: answer.puzzle }, now);
        return;
      case 'accepted':
        this.#open(key, answer, { resumed: { ticket: answer.ticket, sa: answer.resumed } }, now);
    }
  }

  get #asksPuzzles(): boolean {
    const { puzzle } = this.#config;
    return puzzle !== undefined && this.#halfOpen.size >= puzzle.threshold;
  }

  #open(
    key: string,
    answer: { readonly sa: IkeSa; readonly announced: Announced; readonly response: Uint8Array },
    more: Pick<ResponderSaTerms, 'puzzle' | 'resumed'>,
    now: Instant,
  ): void {
    const name = saName(answer.sa.SPIr);
    this.#inits.set(key, name);
    this.#initOf.set(name, key);
    this.#halfOpen.add(name, answer.sa.remote.address);
    this.#touched.add(name);
    this.#sas.set(
      name,
      new ResponderSa({
        sa: answer.sa,
        announced: answer.announced,
        config: this.#config,
        random: this.#deps.random,
        newChildSpi: () => randomChildSpi(this.#deps.random),
        initialContact: (peer) => this.#abandonOthers(name, peer),
        initResponse: answer.response,
        tickets: this.#tickets,
        ...more,
        now,
      }),
    );
  }

  /** Their ends come first: they may hold the address that the new one is about to get. */
  #abandonOthers(name: SaName, peer: Identity): void {
    this.#touched.delete(name);
    for (const [other, sa] of this.#sas)
      if (other !== name && sa.peer && sameIdentity(sa.peer, peer)) this.#touch(other)?.abandon();
    this.#touched.add(name);
  }

  /** Something that has no header of ours; another major version is told which one we speak (RFC 7296 §2.5). */
  #receiveMangled(error: WireError, arrival: Arrival, now: Instant): void {
    this.#debug(`dropped an IKE message: ${error.toString()}`, arrival.from);
    const { bytes } = arrival;
    if (error.code !== 'version' || bytes.length < HEADER_BYTES) return;
    const [version, exchange, flags] = [bytes[17]! >> 4, bytes[18]!, bytes[19]!];
    // Only a higher version's requests; the response bit is where it was in version 2 (§2.5).
    if (version <= 2 || flags & 0x20 || !this.#mayAnswerStranger(now)) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const header: Header = {
      SPIi: view.getBigUint64(0),
      SPIr: view.getBigUint64(8),
      exchange: exchange === Exchange.IKE_AUTH ? Exchange.IKE_AUTH : Exchange.IKE_SA_INIT,
      initiator: false,
      response: true,
      messageId: view.getUint32(20),
    };
    this.#send(encodeMessage(header, [notifyOf(NotifyType.INVALID_MAJOR_VERSION)]), arrival);
  }

  #newSpi(): bigint {
    for (;;) {
      const spi = randomSpi(this.#deps.random);
      const name = saName(spi);
      if (!this.#sas.has(name) && !this.#routes.has(spi) && !this.#lingering.has(spi)) return spi;
    }
  }

  #linger(localSpi: bigint, last: Lingering): void {
    this.#lingering.set(localSpi, last);
    const [oldest] = this.#lingering.keys();
    if (this.#lingering.size > MOST_LINGERING && oldest !== undefined) this.#lingering.delete(oldest);
  }

  #mayAnswerStranger(now: Instant): boolean {
    if (now - this.#strangers.since >= 1000) this.#strangers = { since: now, answered: 0 };
    return ++this.#strangers.answered <= STRANGERS_PER_SECOND;
  }

  #push(effect: IkeEffect): void {
    this.#out.push({ sa: null, effect });
  }

  #send(bytes: Uint8Array, to: { readonly from: Endpoint; readonly transport: Transport }): void {
    this.#push({ kind: 'send', bytes, to: to.from, transport: to.transport });
  }

  #debug(text: string, from: Endpoint): void {
    this.#push({ kind: 'log', level: 'debug', text: `${text} (from ${formatEndpoint(from)})` });
  }
}

const saName = (SPIr: bigint): SaName => SPIr.toString(16).padStart(16, '0');

const initKey = ({ bytes, from }: Arrival): string =>
  `${formatEndpoint(from)} ${createHash('sha256').update(bytes).digest('hex')}`;
