// MOBIKE (RFC 4555) of one connection: its two ends may move while every SA of it stays. The initiator of the connection decides where
// the SAs go; the responder follows once it has been told, and once the peer has shown that it is there.
//
//   initiator  settled ──addressesChanged, another NAT mapping, another gateway address──▶ moved
//              moved   ──[several gateway addresses: probe them in turn]──▶ UPDATE_SA_ADDRESSES ──answered──▶ settled: moveChild
//   responder  settled ──UPDATE_SA_ADDRESSES──▶ the IKE SA moves at once ──COOKIE2 comes back──▶ settled: moveChild
//
// Moves are numbered: an answer to what was asked before the last one says nothing any more (§3.5). The window is one request, so a
// request in flight is finished first, over the new path; then comes ours (`next`). Whoever owns the connection sends, deletes and closes.

import type { RandomBytes } from '../crypto/random.ts';
import { type Address, type Endpoint, formatEndpoint, sameAddress } from '../wire/address.ts';
import { IkeError } from './error.ts';
import type { Datagram, Established } from './established.ts';
import type { Message } from './message.ts';
import { natDetection, natIn } from './nat.ts';
import { notifyOf, says } from './notifies.ts';
import { NotifyType, notifyName } from './notify.ts';
import type { Outbox } from './outbox.ts';
import type { Payload } from './payload/payload.ts';
import type { Role } from './sa.ts';
import {
  additionalAddresses,
  COOKIE2_BYTES,
  cookiesIn,
  hasForbiddenNat,
  mappingIn,
  type PathPurpose,
  PathTask,
} from './task/path.ts';
import type { Instant } from './timing.ts';

/** What both ends have agreed on in IKE_AUTH. */
export interface MobikeTerms {
  /** The peer's further addresses (§3.4). */
  readonly peerAddresses: readonly Address[];
  /** Encapsulate in UDP without a NAT. */
  readonly feignNat: boolean;
  /** A responder's policy (§3.5). */
  readonly accepts?: ((from: Endpoint, local: Endpoint) => boolean) | undefined;
  /** Milliseconds between keepalives wherever we are behind a NAT; 0: never. */
  readonly keepaliveInterval: number;
}

export interface MobikeHost {
  readonly role: Role;
  readonly outbox: Outbox;
  readonly random: RandomBytes;
  /** The IKE SA in use, and all that are open. */
  readonly current: Established;
  readonly open: readonly Established[];
  /** SPIs of the CHILD SAs as the peer receives with. */
  readonly spisOut: readonly number[];
  /** There is a NAT in front of us now, or none any more. */
  natChanged(now: Instant): void;
  fail(error: IkeError, now: Instant): void;
}

/** What a request of the peer's has come to. */
export interface PathAnswer {
  readonly payloads: readonly Payload[];
  /** Once the answer is on its way. */
  readonly after: (() => void) | undefined;
}

/** A request is sent so often to one address of the gateway before another one is tried: where we have just moved, and elsewhere. */
const SENDINGS_MOVED = 2;
const SENDINGS_SETTLED = 4;
/** An update that cannot be right, through no fault of the peer's, is repeated so often (§3.9). */
const RETRIES = 5;

const sameEndpoint = (a: Endpoint, b: Endpoint): boolean => a.port === b.port && sameAddress(a.address, b.address);
const hasAddress = (addresses: readonly Address[], address: Address): boolean =>
  addresses.some((one) => sameAddress(one, address));

export class Mobike {
  readonly #terms: MobikeTerms;
  readonly #host: MobikeHost;
  /** How often one of us has moved; what the peer knows of it is in IkeSa.movesTold. */
  #move = 0;
  /** The peer's addresses: the one in use when it told of them, and the others. */
  #peer: readonly Address[];
  /** … those that it does not want to be used. */
  #refused: readonly Address[] = [];
  /** The move for which a path is known to work. */
  #probed = 0;
  #retries = 0;
  /** As which endpoint the peer sees us in this SA, hashed (§3.8). */
  #mapping: { readonly on: Established; readonly hash: string } | undefined;
  #lookedOn: Established | undefined;
  /** Where ESP goes. */
  #esp: Endpoint;
  /** A responder's: ESP follows once the peer has answered from where it says it is. */
  #unproven = false;

  constructor(terms: MobikeTerms, host: MobikeHost) {
    const { remote } = host.current.sa;
    this.#terms = terms;
    this.#host = host;
    this.#esp = remote;
    this.#peer = [remote.address, ...terms.peerAddresses];
  }

  /** Milliseconds between NAT keepalives, as things are now. */
  get keepaliveInterval(): number {
    return this.#host.current.sa.nat.local || this.#terms.feignNat ? this.#terms.keepaliveInterval : 0;
  }

  get #isInitiator(): boolean {
    return this.#host.role === 'initiator';
  }

  /** The peer does not know where we are. */
  get #isUntold(): boolean {
    return this.#isInitiator && this.#host.current.sa.movesTold !== this.#move;
  }

  /** We are there from now on (§3.5): what is in flight goes on from there. */
  changed(local: Endpoint, localNatt: Endpoint, now: Instant): void {
    if (!this.#isInitiator) return;
    this.#move++;
    this.#refused = [];
    this.#retries = 0;
    for (const { sa, manager } of this.#host.open) {
      sa.local = sa.transport === 'ike' ? local : localNatt;
      manager.startOver(now);
    }
  }

  /** What is to be asked or told before anything else, if the window is free. */
  next(): PathTask | undefined {
    const { manager, isEnding } = this.#host.current;
    if (!manager.idle || isEnding) return undefined;
    if (this.#unproven) return this.#task('routability');
    if (!this.#isUntold) return this.#firstLook();
    return this.#task(this.#candidates.length > 1 && this.#probed !== this.#move ? 'probe' : 'update');
  }

  /** Behind a NAT: as whom the peer sees us in this SA, for later comparison (§3.8). */
  #firstLook(): PathTask | undefined {
    const { current } = this.#host;
    if (!this.#isInitiator || !current.sa.nat.local || this.#lookedOn === current) return undefined;
    this.#lookedOn = current;
    return this.#mapping?.on === current ? undefined : this.#task('liveness');
  }

  /** A liveness check that shows what NATs there are, too (§3.8). */
  liveness(): PathTask | undefined {
    return this.#isInitiator ? this.#task('liveness') : undefined;
  }

  #task(purpose: PathPurpose): PathTask {
    const cookie = purpose === 'liveness' ? undefined : this.#host.random(COOKIE2_BYTES);
    const { sa } = this.#host.current;
    return new PathTask({ purpose, sa, move: this.#move, feignNat: this.#terms.feignNat, cookie });
  }

  /** Addresses of the peer that packets from here can reach, the one in use included. */
  get #candidates(): readonly Address[] {
    const { local, remote } = this.#host.current.sa;
    const all = hasAddress(this.#peer, remote.address) ? this.#peer : [remote.address, ...this.#peer];
    return all.filter((one) => one.length === local.address.length && !hasAddress(this.#refused, one));
  }

  // The initiator, between request and answer.

  /** Before the request in flight is sent again: perhaps to another address of the gateway (§3.5, §3.10). */
  beforeRetransmission(): void {
    const candidates = this.#candidates;
    if (!this.#isInitiator || candidates.length < 2) return;
    const least = this.#isUntold ? SENDINGS_MOVED : SENDINGS_SETTLED;
    const { sendings } = this.#host.current.manager;
    if (sendings < least || (sendings - least) % SENDINGS_MOVED !== 0) return;
    const { remote } = this.#host.current.sa;
    const index = candidates.findIndex((one) => sameAddress(one, remote.address));
    const address = candidates[(index + 1) % candidates.length];
    if (address) this.#goTo(address);
  }

  #goTo(address: Address): void {
    const { remote } = this.#host.current.sa;
    const to = { address, port: remote.port };
    if (sameEndpoint(remote, to)) return;
    this.#host.outbox.debug(`the gateway's address ${formatEndpoint(to)} is tried`);
    for (const { sa } of this.#host.open) sa.remote = to;
  }

  /** An answer has come: the path works. Where that is another one than ESP's, ESP has to move there. */
  heardFrom(on: Established, from: Endpoint): void {
    if (!this.#isInitiator || on !== this.#host.current || this.#peer.length < 2) return;
    if (hasAddress(this.#candidates, from.address)) this.#goTo(from.address);
    const { remote } = on.sa;
    if (!this.#isUntold && !sameAddress(remote.address, this.#esp.address)) this.#startMove();
  }

  #startMove(): void {
    this.#move++;
    this.#retries = 0;
  }

  /** The answer to one of ours; the window is free again. */
  answered(on: Established, task: PathTask, message: Message, from: Endpoint, now: Instant): void {
    const { payloads } = message;
    // §3.5: what was asked before the last move is of no interest; `next` asks anew.
    const isLate = task.move !== this.#move;
    const refusal = [NotifyType.UNACCEPTABLE_ADDRESSES, NotifyType.UNEXPECTED_NAT_DETECTED].find((type) =>
      says(payloads, type),
    );
    if (task.purpose === 'update' && refusal !== undefined) {
      if (!isLate) this.#updateRefused(task, refusal, now);
      return;
    }
    // §3.7: then the IKE SA must be closed.
    if (!task.isProvenBy(message)) {
      this.#host.fail(unproven(), now);
      return;
    }
    if (isLate) return;
    switch (task.purpose) {
      case 'routability':
        this.#unproven = false;
        this.#moveChildren(on.sa.remote);
        return;
      case 'probe':
        this.#probed = this.#move;
        return;
      case 'liveness':
        this.#compareMapping(on, message, from);
        return;
      case 'update':
        this.#updated(on, task, message, from, now);
        return;
    }
  }

  #updated(on: Established, task: PathTask, message: Message, from: Endpoint, now: Instant): void {
    const { sa } = on;
    // It has been on two paths: which one did the gateway take? And where was the NAT that it saw?
    const elsewhere = !sameAddress(from.address, task.to.address) && sameAddress(from.address, sa.remote.address);
    if (elsewhere && this.#retries++ < RETRIES) return;
    for (const one of this.#host.open) if (one === on) one.sa.movesTold = this.#move;
    const nat = natIn(message, from, sa.local);
    if (nat)
      for (const one of this.#host.open) {
        one.sa.nat = nat;
        one.sa.encapsulation = this.#terms.feignNat || nat.local || nat.remote ? 'udp' : 'raw';
      }
    this.#note(on, message);
    this.#moveChildren(sa.remote);
    this.#host.natChanged(now);
  }

  #updateRefused(task: PathTask, type: number, now: Instant): void {
    const { outbox, fail } = this.#host;
    outbox.push({ kind: 'log', level: 'info', text: `the gateway does not follow us: ${notifyName(type)}` });
    if (type === NotifyType.UNEXPECTED_NAT_DETECTED) {
      // §3.9: somebody may have touched this one packet; more than a few are no accident.
      if (this.#retries++ >= RETRIES) fail(refused(type), now);
      return;
    }
    this.#refused = [...this.#refused, task.to.address];
    const [other] = this.#candidates;
    if (other) this.#goTo(other);
    else fail(refused(type), now);
  }

  /** §3.8: the peer sees us as another endpoint than before: a NAT has come, gone, or forgotten us. */
  #compareMapping(on: Established, message: Message, from: Endpoint): void {
    const before = this.#mapping?.on === on ? this.#mapping.hash : undefined;
    this.#note(on, message);
    const nat = natIn(message, from, on.sa.local);
    const isOther = before !== undefined && this.#mapping?.hash !== before;
    if (!nat || (!isOther && nat.local === on.sa.nat.local && nat.remote === on.sa.nat.remote)) return;
    this.#host.outbox.push({
      kind: 'log',
      level: 'info',
      text: 'the gateway sees us elsewhere than before: a NAT changed',
    });
    this.#startMove();
  }

  #note(on: Established, message: Message): void {
    const hash = mappingIn(message);
    if (hash !== undefined) this.#mapping = { on, hash };
  }

  #moveChildren(peer: Endpoint): void {
    const { outbox, spisOut, current } = this.#host;
    const { encapsulation, nat } = current.sa;
    this.#esp = peer;
    if (encapsulation === 'tcp') return;
    for (const spiOut of spisOut) outbox.push({ kind: 'moveChild', spiOut, peer, encapsulation, behindNat: nat });
  }

  // Requests of the peer.

  /** What an INFORMATIONAL of the peer's says about paths. */
  answer(on: Established, message: Message, { from, local, transport }: Arrival, now: Instant): PathAnswer {
    const { payloads } = message;
    const cookies: readonly Payload[] = cookiesIn(payloads);
    const updates = !this.#isInitiator && says(payloads, NotifyType.UPDATE_SA_ADDRESSES);
    const addresses = additionalAddresses(payloads);
    const refuse = (type: number): PathAnswer => {
      this.#host.outbox.debug(`did not follow the peer to ${formatEndpoint(from)}: ${notifyName(type)}`);
      return { payloads: [notifyOf(type), ...cookies], after: undefined };
    };
    if ((updates || addresses) && hasForbiddenNat(payloads, from, local))
      return refuse(NotifyType.UNEXPECTED_NAT_DETECTED);
    const accepts = transport !== 'tcp' && (this.#terms.accepts?.(from, local) ?? true);
    if (updates && !accepts) return refuse(NotifyType.UNACCEPTABLE_ADDRESSES);
    if (addresses) this.#takeAddresses(addresses, from);
    const nat = natIn(message, from, local);
    const after = updates ? this.#follow({ from, local, transport }, nat, now) : undefined;
    const shown = nat ? natDetection(on.sa, local, from, this.#terms.feignNat) : [];
    return { payloads: [...shown, ...cookies], after };
  }

  /** §3.5: the IKE SA at once, ESP when the peer has proved to be there. */
  #follow({ from, local, transport }: Arrival, nat: ReturnType<typeof natIn>, now: Instant): () => void {
    const { open, outbox } = this.#host;
    this.#move++;
    for (const { sa } of open) {
      sa.remote = from;
      sa.local = local;
      sa.transport = transport;
      if (!nat) continue;
      sa.nat = nat;
      sa.encapsulation = this.#terms.feignNat || nat.local || nat.remote ? 'udp' : 'raw';
    }
    outbox.push({ kind: 'log', level: 'info', text: `the peer is at ${formatEndpoint(from)} now` });
    this.#unproven = !sameEndpoint(from, this.#esp);
    return () => {
      if (!this.#unproven) this.#moveChildren(from);
      this.#host.natChanged(now);
      for (const { manager } of open) manager.startOver(now);
    };
  }

  /** §3.6: the complete list, in the place of the one before. */
  #takeAddresses(addresses: readonly Address[], from: Endpoint): void {
    this.#peer = [from.address, ...addresses];
    const { remote } = this.#host.current.sa;
    if (!this.#isInitiator || hasAddress(this.#peer, remote.address)) return;
    const other = this.#peer.find((one) => one.length === remote.address.length);
    if (!other) return;
    this.#startMove();
    this.#goTo(other);
  }

  /**
   * Authentic ESP came from elsewhere. §3.8 lets who is not behind a NAT follow with ESP; we do so to another port of the same host,
   * which is what a NAT does, and leave everything else to UPDATE_SA_ADDRESSES, which is checked. Requests of ours go there, too: who
   * begins an exchange chooses its addresses (§2.1), and the old mapping is gone.
   */
  espFrom(from: Endpoint): void {
    const { nat } = this.#host.current.sa;
    if (!nat.remote || nat.local || this.#unproven || sameEndpoint(from, this.#esp)) return;
    if (!sameAddress(from.address, this.#esp.address)) return;
    for (const { sa } of this.#host.open) sa.remote = from;
    this.#moveChildren(from);
  }
}

type Arrival = Pick<Datagram, 'from' | 'local' | 'transport'>;

function unproven(): IkeError {
  return new IkeError({
    code: 'protocol',
    message: 'the peer answered without having seen the request: its COOKIE2 is not the one that was sent',
    remedy: 'nothing, unless it happens again: connecting again is enough; then save the log and report it',
    exchange: 'INFORMATIONAL',
  });
}

function refused(type: number): IkeError {
  return new IkeError({
    code: 'peer-error',
    message: `the gateway does not let the connection move to this network (${notifyName(type)})`,
    remedy: 'connecting again from here may do; if not, ask the administrator from where the gateway may be reached',
    notify: { type, name: notifyName(type) },
    exchange: 'INFORMATIONAL',
  });
}
