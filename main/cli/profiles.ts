// `culvert import`, `culvert list` and `culvert remove`.
import { readProfileFile } from '../daemon/profile-file.ts';
import { Exit } from './exit.ts';
import { type CliIo, withEngine } from './io.ts';
import { printable, profilesText, SHAPE_TEXT } from './text.ts';

export async function importFile(io: CliIo, socketPath: string, path: string, replace: boolean): Promise<number> {
  const file = readProfileFile(path);
  return withEngine(io, socketPath, async (engine) => {
    const { profile, warnings } = await engine.call('import', { text: file.text, replace });
    io.out(printable(`Imported the profile "${profile.name}": ${profile.gateway}, ${SHAPE_TEXT[profile.shape]}.`));
    for (const warning of [...file.warnings, ...warnings]) io.err(printable(`Warning: ${warning.text}`));
    io.out(printable(`Connect with \`culvert up ${profile.name}\`.`));
    return Exit.OK;
  });
}

export async function list(io: CliIo, socketPath: string, json: boolean): Promise<number> {
  return withEngine(io, socketPath, async (engine) => {
    const { profiles } = await engine.call('list', {});
    io.out(json ? JSON.stringify(profiles, null, 2) : profilesText(profiles));
    return Exit.OK;
  });
}

export async function remove(io: CliIo, socketPath: string, profile: string): Promise<number> {
  return withEngine(io, socketPath, async (engine) => {
    await engine.call('remove', { profile });
    io.out(printable(`Removed the profile "${profile}".`));
    return Exit.OK;
  });
}
