// `culvert up` and `culvert down`.
import { readProfileFile } from '../daemon/profile-file.ts';
import type { EngineClient } from '../ipc/client.ts';
import type { EngineState } from '../ipc/contract.ts';
import { Exit } from './exit.ts';
import { type CliIo, interruption, withEngine } from './io.ts';
import { printable, STEP_TEXT, tunnelText } from './text.ts';

/** A word with a slash or ".json", or "-", is a file; anything else is the name of a stored profile. */
export function isFile(word: string): boolean {
  return word === '-' || word.includes('/') || word.endsWith('.json');
}

export async function up(io: CliIo, socketPath: string, word: string): Promise<number> {
  // Read before the engine is asked for anything: a mistake in the file needs no engine to be found.
  const file = isFile(word) ? readProfileFile(word) : undefined;
  return withEngine(io, socketPath, async (engine) => {
    const name = file?.name ?? word;
    if (file) {
      await storeFile(io, engine, file.text, file.warnings);
      const { engine: now } = await engine.call('status', {});
      if (now.state === 'connected' && now.profile === name) {
        // The engine refuses to replace what is in use: the file is what the tunnel was made from.
        io.out(printable(`Connected with "${name}" already.`));
        return Exit.OK;
      }
    }
    const steps = stepPrinter(io);
    engine.on('status', (status) => steps(status.engine));
    await engine.call('subscribe', { events: ['status'] });
    const connected = engine.call('connect', { profile: name });
    const outcome = await Promise.race([connected, interruption(io.interrupted)]);
    if (outcome === 'interrupted') {
      connected.catch(() => {});
      io.err('Interrupted: disconnecting.');
      await engine.call('disconnect', {});
      return Exit.INTERRUPTED;
    }
    io.out(printable(`Connected with "${name}".`));
    io.out(tunnelText(outcome.tunnel));
    return Exit.OK;
  });
}

async function storeFile(io: CliIo, engine: EngineClient, text: string, warnings: readonly string[]): Promise<void> {
  const { profile, warnings: more } = await engine.call('import', { text, replace: true });
  io.out(printable(`Imported the profile "${profile.name}".`));
  for (const warning of [...warnings, ...more]) io.err(printable(`Warning: ${warning}`));
}

/** Prints each step once. What was before our own connection began is not of interest. */
function stepPrinter(io: CliIo): (engine: EngineState) => void {
  let last = '';
  return (engine) => {
    const text = stepText(engine);
    if (text === undefined || text === last) return;
    last = text;
    io.out(printable(text));
  };
}

function stepText(engine: EngineState): string | undefined {
  switch (engine.state) {
    case 'connecting':
      return `${STEP_TEXT[engine.step]} …`;
    case 'reconnecting':
      return `Not yet: ${engine.because.message} Trying again …`;
    case 'disconnected':
    case 'connected':
    case 'disconnecting':
    case 'failed':
      return undefined;
  }
}

export async function down(io: CliIo, socketPath: string): Promise<number> {
  return withEngine(io, socketPath, async (engine) => {
    const { engine: before } = await engine.call('status', {});
    await engine.call('disconnect', {});
    const idle = before.state === 'disconnected' || before.state === 'failed';
    io.out(printable(idle ? 'Not connected.' : `Disconnected from "${before.profile}".`));
    return Exit.OK;
  });
}
