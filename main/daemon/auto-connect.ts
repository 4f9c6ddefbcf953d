// Connects by itself on networks that a person does not trust. It looks at the network when the system says that it changed
// and when a desktop shell says so, and decides for everybody whose shell has spoken and who is still connected.
//
//   change, notice ──(settles)──▶ read ──▶ another place? ──▶ decide ──▶ connect
//
// Once a place: a connection that failed, or that somebody ended, is not begun again there. Who disconnects is left alone on
// that network until they are on another one, or connect.
import { type Network, type Settings, type Trust, trustOf } from '../ipc/contract.ts';
import type { AttachmentReader, Place } from '../net/attachment/api.ts';
import { NetError } from '../net/error.ts';
import type { NetworkMonitor } from '../net/monitor/api.ts';
import type { Clock, Timer } from '../session/clock.ts';
import type { SettingsStore } from './settings.ts';

export type Decision =
  | { readonly do: 'connect'; readonly profile: string; readonly trust: Trust }
  | { readonly do: 'nothing'; readonly because: 'off' | 'no-profile' | 'offline' | 'trusted' | 'running' | 'declined' };

export interface Circumstances {
  readonly autoConnect: Settings['autoConnect'];
  readonly network: Network;
  /** A connection is up, on its way, or lost and held. */
  readonly running: boolean;
  /** A person ended the last one on this network. */
  readonly declined: boolean;
}

export function decide({ autoConnect, network, running, declined }: Circumstances): Decision {
  const nothing = (because: Extract<Decision, { do: 'nothing' }>['because']): Decision => ({ do: 'nothing', because });
  if (!autoConnect.enabled) return nothing('off');
  if (autoConnect.profile === null) return nothing('no-profile');
  const trust = trustOf(network, autoConnect.trusted);
  if (trust === 'offline' || trust === 'trusted') return nothing(trust);
  if (running) return nothing('running');
  if (declined) return nothing('declined');
  return { do: 'connect', profile: autoConnect.profile, trust };
}

/** The same place: known by its name or its router, or at least the same interface and router as before. */
export function samePlace(one: Place, other: Place): boolean {
  const [a, b] = [one.attachment, other.attachment];
  if (a.kind === 'offline' || b.kind === 'offline') return a.kind === b.kind;
  if (a.kind === 'wifi' && b.kind === 'wifi') return a.name === b.name && a.secured === b.secured;
  if (a.kind === 'wired' && b.kind === 'wired') return a.gateway === b.gateway;
  return one.mark !== '' && one.mark === other.mark;
}

export interface AutoConnectDeps {
  readonly reader: AttachmentReader;
  readonly monitor: NetworkMonitor | undefined;
  readonly settings: Pick<SettingsStore, 'read'>;
  readonly clock: Pick<Clock, 'now' | 'setTimer'>;
  /** Somebody's interface is connected to the engine. */
  present(uid: number | null): boolean;
  running(): boolean;
  connect(profile: string): Promise<unknown>;
  publish(network: Network): void;
  note(level: 'info' | 'warn', text: string): void;
}

export interface AutoConnect {
  readonly network: Network | undefined;
  /** Somebody's shell says that the network may be another one; `known`: that it is the one it has been on. */
  noticed(uid: number | null, known: boolean): Promise<void>;
  /** It may be another one, but nobody's shell said so. */
  look(): Promise<void>;
  settingsChanged(uid: number | null): Promise<void>;
  /** A person ended the connection, or there was none and they said so. */
  declined(): void;
  /** A person connects. */
  accepted(): void;
  close(): void;
}

/** Milliseconds: changes come in flurries, and an address may take its time. */
const SETTLES = 1_000;
const LONGEST_READ = 15_000;
/** Milliseconds before a network that could not be read is read once more. */
const SECOND_LOOK = 2_000;

export function createAutoConnect(deps: AutoConnectDeps): AutoConnect {
  const { clock } = deps;
  /** Whose shell has spoken. */
  const armed = new Set<number | null>();
  let place: Place | null = null;
  let declinedAt: Place | null = null;
  /** Somebody did before it was known where this is: the first reading says. */
  let declinedHere = false;
  let reading: Promise<Place> | null = null;
  /** A reading that has not begun yet: whoever asks meanwhile gets that one, for the one under way may be of before the change. */
  let queued: Promise<Place> | null = null;
  let settling: Timer | null = null;
  let closed = false;

  const wait = (milliseconds: number): { over: Promise<void>; timer: Timer } => {
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = clock.setTimer(clock.now() + milliseconds, resolve);
    });
    return { over, timer: timer as Timer };
  };

  const readOnce = async (): Promise<Place> => {
    const { over, timer } = wait(LONGEST_READ);
    const late = over.then((): Place => ({ attachment: { kind: 'unknown', because: 'not-readable' }, mark: '' }));
    try {
      return await Promise.race([deps.reader.read(), late]);
    } finally {
      timer.cancel();
    }
  };
  const readTwice = async (): Promise<Place> => {
    const { attachment, ...first } = await readOnce();
    if (attachment.kind !== 'unknown' || attachment.because !== 'not-readable') return { attachment, ...first };
    await wait(SECOND_LOOK).over;
    return readOnce();
  };

  const freshly = (): Promise<Place> => {
    queued ??= Promise.resolve(reading).then(() => {
      queued = null;
      reading = readTwice();
      return reading;
    });
    return queued;
  };

  /** Reads it, and tells whoever watches. True: it is another place than before. */
  const update = async (): Promise<boolean> => {
    const next = await freshly();
    const before = place;
    place = next;
    const other = before === null || !samePlace(before, next);
    if (declinedHere) declinedAt = next;
    declinedHere = false;
    if (before === null || JSON.stringify(before.attachment) !== JSON.stringify(next.attachment))
      deps.publish(next.attachment);
    if (declinedAt && next.attachment.kind !== 'offline' && !samePlace(declinedAt, next)) declinedAt = null;
    return other;
  };

  const evaluate = async (uid: number | null): Promise<void> => {
    const { autoConnect } = await deps.settings.read(uid);
    if (closed || !place || !deps.present(uid)) return;
    const network = place.attachment;
    const declined = declinedAt !== null && samePlace(declinedAt, place);
    const decision = decide({ autoConnect, network, running: deps.running(), declined });
    if (decision.do === 'nothing') return;
    deps.note('info', `${describeNetwork(network, decision.trust)}: connecting with "${decision.profile}"`);
    deps.connect(decision.profile).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      deps.note('warn', `connecting by itself failed: ${why}`);
    });
  };

  const look = async (): Promise<void> => {
    if (!(await update())) return;
    for (const uid of armed) await evaluate(uid);
  };

  const settle = (): void => {
    settling ??= clock.setTimer(clock.now() + SETTLES, () => {
      settling = null;
      void look();
    });
  };
  const watch = deps.monitor?.watch(settle);
  if (watch instanceof NetError) deps.note('warn', `${watch.message} ${watch.remedy}`);

  return {
    get network() {
      return place?.attachment;
    },
    async noticed(uid, known) {
      const first = !armed.has(uid);
      // Who has been here before this engine was must not be taken for new by a reading that is under way for somebody else.
      if (!known) armed.add(uid);
      const other = await update();
      armed.add(uid);
      if (first && !known) await evaluate(uid);
      if (other) for (const one of armed) if (one !== uid || !first) await evaluate(one);
    },
    look,
    async settingsChanged(uid) {
      if (armed.has(uid)) await evaluate(uid);
    },
    declined() {
      declinedAt = place;
      if (place) return;
      declinedHere = true;
      void look();
    },
    accepted() {
      declinedAt = null;
      declinedHere = false;
    },
    close() {
      closed = true;
      settling?.cancel();
      if (watch && !(watch instanceof NetError)) watch.close();
    },
  };
}

function describeNetwork(network: Network, trust: Trust): string {
  switch (network.kind) {
    case 'wifi':
      return trust === 'unproven'
        ? `the network calls itself "${network.name}", but wants no key`
        : `the network "${network.name}" is not trusted`;
    case 'wired':
      return `the network of the router ${network.gateway} is not trusted`;
    case 'unknown':
      return `the network is not known (${network.because})`;
    case 'offline':
      return 'there is no network';
  }
}
