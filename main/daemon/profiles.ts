// The calls about stored profiles.
import { createHash } from 'node:crypto';
import type { Params, ProfileCall, ProfileSummary, Result } from '../ipc/contract.ts';
import { type EngineError, ipcError, knownError } from '../ipc/error.ts';
import type { Caller, Implementation } from '../ipc/server.ts';
import { secretsOf, usesKeyStore } from '../profile/authentication.ts';
import { demandUsableCredentials } from '../profile/credential-check.ts';
import { relocked, renamed } from '../profile/edit.ts';
import { type ParsedProfile, parseProfile } from '../profile/parse.ts';
import type { Profile } from '../profile/profile.ts';
import type { ProfileStore } from '../profile/store.ts';
import { detailsOf } from './describe.ts';
import { type Desk, known, mustBeFree } from './desk.ts';
import type { GreSequences } from './gre-sequences.ts';
import type { EngineLog } from './log.ts';

/** Nobody needs so many; each costs a file, and a look at it in every list. */
export const MOST_PROFILES = 200;

export interface ProfileCallsOptions {
  readonly desk: Desk;
  readonly store: ProfileStore;
  readonly log: EngineLog;
  readonly fetchProfile: (url: string) => Promise<string>;
  readonly greSequences: Pick<GreSequences, 'rename' | 'remove'>;
  /** Whether the engine is connected with this profile, or about to be. */
  readonly inUse: (name: string) => boolean;
}

type ProfileCalls = Pick<Implementation, ProfileCall>;

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

export const summaryOf = (profile: Profile): ProfileSummary => ({
  name: profile.name,
  gateway: profile.gateway.host,
  shape: profile.tunnel.shape,
});

export function profileCalls({
  desk,
  store,
  log,
  fetchProfile,
  greSequences,
  inUse,
}: ProfileCallsOptions): ProfileCalls {
  const note = (level: 'info' | 'warn', text: string): void => log.add({ level, area: 'profile', text });

  /** What is kept beside a profile goes its way; a failure there undoes nothing. */
  const follow = (name: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      note('warn', `profile "${name}": the GRE sequence number kept for it could not be changed (${reason})`);
    }
  };

  const inContract = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw known(error);
    }
  };

  const stored = async (name: string): Promise<ParsedProfile | null> => {
    try {
      return await store.read(name);
    } catch {
      // Not there, or not to be read: nothing of it is locked.
      return null;
    }
  };

  const free = (profile: string): void => {
    if (inUse(profile)) throw knownError('daemon/in-use', { profile });
  };

  /** Without room for another; one of the stored ones may be replaced. */
  const isFull = async (name: string): Promise<boolean> => {
    const { profiles, broken } = await store.list();
    const names = [...profiles, ...broken].map((one) => one.name);
    return names.length >= MOST_PROFILES && !names.includes(name);
  };
  const notForUsers = (name: string): EngineError =>
    ipcError(
      'ipc/not-allowed',
      `The profile "${name}" uses a key in a token of this computer (storedKey), which only an administrator may let it do.`,
      'Ask your administrator to import it (`sudo culvert import FILE`).',
      { profile: name },
    );

  const take = (text: string, replace: boolean, caller: Caller): Promise<Result<'import'>> =>
    desk.inTurn(() =>
      inContract(async () => {
        const parsed = parseProfile(text);
        demandUsableCredentials(parsed.profile);
        const { name } = parsed.profile;
        const before = replace ? await stored(name) : null;
        // Any lock: what is replaced is gone with it.
        if (before) mustBeFree(before.profile, caller, ['']);
        // A profile that names a store has the machine's token sign, or count its wrong PINs; the same again names nothing new.
        if (caller.role !== 'administrator' && usesKeyStore(parsed.profile) && before?.text !== parsed.text)
          throw notForUsers(name);
        // The tunnel that is up was made from the stored profile: another in its place would be shown as what it does.
        if (replace && before?.text !== parsed.text && desk.runs(name))
          throw knownError('daemon/in-use', { profile: name });
        if (await isFull(name)) throw knownError('profile/too-many', { most: MOST_PROFILES });
        const replaced = await store.save(parsed, replace);
        log.hide(name, ...secretsOf(parsed.profile));
        note('info', `profile "${name}" ${replaced ? 'replaced' : 'imported'}`);
        for (const warning of parsed.warnings) note('warn', `profile "${name}": ${warning.text}`);
        await desk.announce(replaced ? parsed.profile : null);
        return { profile: summaryOf(parsed.profile), warnings: parsed.warnings };
      }),
    );

  const show = (text: string): Promise<Result<'preview'>> =>
    inContract(async () => {
      const { profile, warnings } = parseProfile(text);
      demandUsableCredentials(profile);
      // Nothing is hidden: anybody may look at any text, and would choose what the log may say.
      const { profiles, broken } = await store.list();
      const exists = [...profiles, ...broken].some(({ name }) => name === profile.name);
      return { profile: detailsOf(profile), warnings, exists };
    });

  const rename = ({ profile: from, name: to }: Params<'rename'>, caller: Caller): Promise<Result<'rename'>> =>
    desk.inTurn(() =>
      inContract(async () => {
        free(from);
        const old = await store.read(from);
        mustBeFree(old.profile, caller, ['/name']);
        if (from === to) return {};
        // The new one first, and only where there is none: a crash leaves two, never none.
        await store.save(renamed(old, to), false);
        // Before the old one goes: a crash in between leaves a number too many, not one too few.
        follow(from, () => greSequences.rename(from, to));
        await store.remove(from);
        log.forget(from);
        log.hide(to, ...secretsOf(old.profile));
        note('info', `profile "${from}" renamed to "${to}"`);
        await desk.announce(null);
        return {};
      }),
    );

  return {
    list: () =>
      inContract(async () => {
        const { profiles, broken } = await store.list();
        for (const { name, error } of broken) note('warn', `profile "${name}" cannot be used: ${error.message}`);
        return { profiles: profiles.map(summaryOf) };
      }),
    profiles: () => inContract(() => desk.profiles()),
    import: ({ text, replace }, caller) => take(text, replace, caller),
    importUrl: async ({ url, replace, digest }, caller) => {
      const text = await fetchProfile(url);
      if (digest !== undefined && digest !== digestOf(text)) throw knownError('profile/changed-meanwhile');
      return take(text, replace, caller);
    },
    preview: ({ text }) => show(text),
    previewUrl: async ({ url }) => {
      const text = await fetchProfile(url);
      return { ...(await show(text)), digest: digestOf(text) };
    },
    rename,
    remove: ({ profile: name }, caller) =>
      desk.inTurn(() =>
        inContract(async () => {
          free(name);
          const before = await stored(name);
          if (before) mustBeFree(before.profile, caller, ['']);
          await store.remove(name);
          log.forget(name);
          follow(name, () => greSequences.remove(name));
          note('info', `profile "${name}" removed`);
          await desk.announce(null);
          return {};
        }),
      ),
    lock: async ({ profile, locked, by }, caller) =>
      detailsOf(await desk.edit(profile, caller, [], (before) => relocked(before, locked, by))),
  };
}
