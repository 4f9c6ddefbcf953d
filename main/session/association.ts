// One IKE connection with the gateway, from its first message to its last: the IkePeer, who drives it, who answers what it asks,
// and which CHILD SAs of the tunnel are its own. A way has one; two while it is authenticated anew (RFC 7296 §2.8.3), over the same
// sockets and into the same tunnel. Each takes the datagrams that bear its SPIs and lets the others pass.
import type { EapSecrets } from '../eap/types.ts';
import { formatIdentity } from '../ike/identity.ts';
import type { InitiatorConfig } from '../ike/initiator-config.ts';
import type { CloseReason, IkeDeps, IkeEvent, IkePeer, IkeStep } from '../ike/peer.ts';
import type { IkeAnswer, IkeQuestion } from '../ike/questions.ts';
import type { ResumptionTicket } from '../ike/ticket.ts';
import type { Instant } from '../ike/timing.ts';
import type { Transport } from '../ike/transport.ts';
import type { Profile } from '../profile/profile.ts';
import { type Endpoint, formatEndpoint } from '../wire/address.ts';
import type { CreateAnswerer } from './answerer.ts';
import type { Credentials } from './credentials.ts';
import type { SessionDeps } from './deps.ts';
import { createDrive, type DriveActions, type Established, type InstallChild } from './drive.ts';
import { solvePuzzle } from './puzzle.ts';
import { quietly } from './quietly.ts';
import type { SocketOf, Tunnel } from './tunnel.ts';
import { within } from './undo.ts';

export type CreatePeer = (config: InitiatorConfig, deps: IkeDeps) => IkePeer;

export interface AssociationOptions {
  readonly profile: Profile;
  readonly deps: SessionDeps;
  readonly createPeer: CreatePeer;
  readonly config: InitiatorConfig;
  readonly createAnswerer: CreateAnswerer;
  /** Password and one-time codes. */
  readonly secrets: Pick<Credentials, 'password' | 'code'>;
  readonly tunnel: Tunnel;
  readonly socketOf: SocketOf;
  readonly lastInbound: () => Instant;
  readonly send: (bytes: Uint8Array, to: Endpoint, transport: Transport) => void;
  readonly keepalive: (to: Endpoint) => void;
  readonly step: (step: IkeStep) => void;
  /** Its first CHILD SA is installed. */
  readonly up: () => void;
  /** Its first CHILD SA could not be installed; the IKE connection is about to end because of that. */
  readonly refused: (error: unknown) => void;
  /** The tunnel differs from what was reported. */
  readonly changed: () => void;
  /** The gateway has deleted the tunnel's last CHILD SA. */
  readonly childless: () => void;
  readonly ticket: (ticket: ResumptionTicket | undefined) => void;
  readonly reauthenticate: (within: number) => void;
  readonly closed: (reason: CloseReason) => void;
}

export interface Association {
  readonly config: InitiatorConfig;
  /** null until the gateway has proved its identity. */
  readonly established: Established | null;
  /** It has, or had, a CHILD SA. */
  readonly isUp: boolean;
  readonly isOver: boolean;
  /** It waits for a person's password or code. */
  readonly asks: boolean;
  owns(spiIn: number): boolean;
  feed(event: IkeEvent): void;
  /** This computer is at other addresses from now on (RFC 4555 §3.5). */
  moved(local: Endpoint, localNatt: Endpoint): void;
  /** What people are told of where it is sent from; the IKE SA itself does not hear of it (RFC 9329: another TCP connection). */
  isAt(local: Endpoint): void;
  /** Tells the gateway and waits for its answer, `limit` milliseconds at most. `closed` is not reported any more. */
  goodbye(limit: number): Promise<void>;
  /** Ends at once; nothing is reported any more. */
  stop(): void;
}

export function beginAssociation(options: AssociationOptions): Association {
  const { deps, config, tunnel, socketOf } = options;
  const { log } = deps;
  let asked = 0;
  /** Nobody is asked for it any more, and what is shown to a person is withdrawn. */
  const over = new AbortController();
  const secrets: EapSecrets = {
    password: (question) => counted(options.secrets.password(question, over.signal)),
    code: (text) => counted(options.secrets.code(text, over.signal)),
  };
  const answerer = (deps.createAnswerer ?? options.createAnswerer)(options.profile, secrets);
  /** By SPI, with their names; the tunnel's own have none. */
  const children = new Map<number, string | undefined>();
  let established: Established | null = null;
  let isUp = false;
  /** Set while goodbye waits for the peer to say `closed`. */
  let gone: (() => void) | null = null;

  const actions: DriveActions = {
    send: options.send,
    keepalive: options.keepalive,
    expect: (spiIn) => tunnel.children.expect(spiIn),
    cancel: (spiIn) => quietly(deps, 'cancelling an expected SPI', tunnel.children.cancel(spiIn)),
    install,
    move(effect) {
      log({ level: 'info', area: 'session', text: `ESP goes to ${formatEndpoint(effect.peer)} from now on` });
      const { peer, behindNat } = effect;
      // RFC 4555 §3.5: what the gateway's answer has shown.
      if (established && behindNat) established = { ...established, remote: peer, behindNat };
      const note = async () => established && tunnel.note(established);
      quietly(deps, 'following the gateway', tunnel.move(effect, socketOf).then(note).then(options.changed));
    },
    remove: (spiIn, by) => quietly(deps, 'removing an SA', remove(spiIn, by)),
    step: options.step,
    established(effect) {
      established = effect;
      options.ticket(undefined);
      const who = formatIdentity(effect.remoteIdentity);
      log({ level: 'info', area: 'ike', text: `IKE SA with ${who} established: ${effect.proposal}` });
    },
    rekeyed(proposal) {
      log({ level: 'info', area: 'ike', text: `the IKE SA has new keys: ${proposal}` });
      if (!established) return;
      established = { ...established, proposal };
      quietly(deps, 'noting the new algorithms', tunnel.note(established).then(options.changed));
    },
    refused({ name, error }) {
      log({ level: 'warn', area: 'ike', text: `${name ?? 'a CHILD SA'}: ${error.message} ${error.remedy}` });
    },
    ask,
    ticket: options.ticket,
    reauthenticate: options.reauthenticate,
    log: (level, text) => log({ level, area: 'ike', text }),
    closed(reason) {
      stopAnswering();
      if (gone) gone();
      else options.closed(reason);
    },
    lastInbound: options.lastInbound,
  };

  async function ask(question: IkeQuestion): Promise<IkeAnswer> {
    if (question.kind !== 'puzzle') return answerer.answer(question);
    return { kind: 'solved', solution: await solvePuzzle(question.puzzle, () => !over.signal.aborted) };
  }

  async function counted<T>(answer: Promise<T>): Promise<T> {
    asked++;
    try {
      return await answer;
    } finally {
      asked--;
    }
  }

  async function install(effect: InstallChild): Promise<void> {
    const first = !isUp;
    const { spiIn } = effect.child;
    children.set(spiIn, effect.name);
    try {
      await tunnel.install(effect, established, socketOf);
    } catch (error) {
      children.delete(spiIn);
      // Ours is the better explanation, so it goes first; the peer then ends the SA on the wire.
      if (first) options.refused(error);
      throw error;
    }
    isUp = true;
    if (first) options.up();
    else options.changed();
  }

  async function remove(spiIn: number, by: 'peer' | 'us'): Promise<void> {
    const name = children.get(spiIn);
    const removed = await tunnel.remove(spiIn);
    const own = [...children].some(([spi, name]) => name === undefined && spi !== spiIn);
    children.delete(spiIn);
    if (removed !== undefined && !own && name === undefined && by === 'peer' && !drive.over && !gone)
      options.childless();
  }

  const drive = createDrive(options.createPeer(config, { random: deps.random }), deps.clock, actions);

  function isAt(local: Endpoint): void {
    if (!established) return;
    established = { ...established, local };
    quietly(deps, 'noting the new address', tunnel.note(established).then(options.changed));
  }

  function stop(): void {
    gone ??= () => {};
    drive.stop();
    stopAnswering();
  }

  function stopAnswering(): void {
    if (over.signal.aborted) return;
    over.abort();
    answerer.close();
  }

  return {
    config,
    get established() {
      return established;
    },
    get isUp() {
      return isUp;
    },
    get isOver() {
      return drive.over;
    },
    get asks() {
      return asked > 0;
    },
    owns: (spiIn) => children.has(spiIn),
    feed: (event) => drive.feed(event),
    moved(local, localNatt) {
      drive.feed({ kind: 'addressesChanged', local, localNatt });
      isAt(localNatt);
    },
    isAt,
    async goodbye(limit) {
      if (!drive.over) {
        const answered = new Promise<void>((resolve) => {
          gone = resolve;
        });
        drive.feed({ kind: 'close' });
        if (limit > 0 && !drive.over) await within(deps.clock, limit, answered);
      }
      stop();
    },
    stop,
  };
}
