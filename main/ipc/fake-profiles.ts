// The fake engine's calls about profiles. A text is a profile when it has a name.
import type { ProfileCall, ProfileDetails, ProfileSummary, Result } from './contract.ts';
import { knownError } from './error.ts';
import { FAKE_PROFILES } from './fake-data.ts';
import { failure, fetched } from './fake-views.ts';
import type { Handlers, World } from './fake-world.ts';

/** As the engine has it. */
export const FAKE_MOST_PROFILES = 200;

type ProfileCalls = Pick<Handlers, ProfileCall>;

const summaryOf = ({ name, gateway, shape }: ProfileDetails): ProfileSummary => ({ name, gateway, shape });

function read(text: string): ProfileDetails {
  const template = FAKE_PROFILES[0] as ProfileDetails;
  const name = /"name"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  if (name) return { ...template, name, locked: [], changed: [] };
  throw knownError('profile/syntax', { pointer: '/name' });
}

const FAKE_DIGEST = '0123456789abcdef'.repeat(4);

export function profileHandlers(world: World): ProfileCalls {
  const isStored = (name: string): boolean => world.profiles.some((profile) => profile.name === name);
  const demandFree = (profile: string): void => {
    if (world.inUse(profile)) throw knownError('daemon/in-use', { profile });
  };
  const exists = (name: string, remedy: string) =>
    failure('profile/exists', `There is a profile "${name}" already.`, remedy);

  const store = (text: string, replace: boolean): Result<'import'> => {
    const added = read(text);
    const { name } = added;
    if (isStored(name) && !replace) throw exists(name, 'Replace it, or rename one.');
    // What the tunnel was made from stays; the double does not tell a text from the one that is stored.
    if (isStored(name)) demandFree(name);
    else if (world.profiles.length >= FAKE_MOST_PROFILES)
      throw knownError('profile/too-many', { most: FAKE_MOST_PROFILES });
    world.setProfiles([...world.profiles.filter((profile) => profile.name !== name), added]);
    return { profile: summaryOf(added), warnings: [] };
  };
  const describe = (text: string): Result<'preview'> => {
    const profile = read(text);
    return { profile, warnings: [], exists: isStored(profile.name) };
  };

  return {
    list: () => ({ profiles: world.profiles.map(summaryOf) }),
    profiles: () => ({ profiles: world.profiles, broken: [] }),
    import: ({ text, replace }) => store(text, replace),
    importUrl: ({ url, replace }) => store(fetched(url), replace),
    preview: ({ text }) => describe(text),
    previewUrl: ({ url }) => ({ ...describe(fetched(url)), digest: FAKE_DIGEST }),
    rename: ({ profile, name }) => {
      demandFree(profile);
      world.demandUnlocked(world.find(profile), '/name');
      if (isStored(name)) throw exists(name, 'Choose another name.');
      world.changeProfile(profile, (old) => ({ ...old, name }));
      return {};
    },
    remove: ({ profile }) => {
      demandFree(profile);
      world.demandUnlocked(world.find(profile), '');
      world.setProfiles(world.profiles.filter(({ name }) => name !== profile));
      return {};
    },
    lock: ({ profile, locked, by }) =>
      world.changeProfile(profile, (old) => ({ ...old, locked: locked.map((pointer) => ({ pointer, by })) })),
  };
}
