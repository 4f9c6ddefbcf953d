// `culvert up` and `culvert down`.
import { readProfileFile } from '../daemon/profile-file.ts';
import type { EngineClient } from '../ipc/client.ts';
import type { EngineState, Prompt, Told } from '../ipc/contract.ts';
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
    const prompts = promptAnswerer(io, engine);
    engine.on('status', (status) => {
      steps(status.engine);
      prompts.look(status.engine);
    });
    await engine.call('subscribe', { events: ['status'] });
    const connected = engine.call('connect', { profile: name });
    const outcome = await Promise.race([connected, interruption(io.interrupted)]).finally(prompts.close);
    if (outcome === 'interrupted') {
      // It fails now, because of what follows.
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

async function storeFile(io: CliIo, engine: EngineClient, text: string, warnings: readonly Told[]): Promise<void> {
  const { profile, warnings: more } = await engine.call('import', { text, replace: true });
  io.out(printable(`Imported the profile "${profile.name}".`));
  for (const { text: warning } of [...warnings, ...more]) io.err(printable(`Warning: ${warning}`));
}

/** Asks on the terminal what the engine wants to know; without one only says that it is asked. Whoever answers first, here or in a window, answers for all. */
function promptAnswerer(
  io: CliIo,
  engine: EngineClient,
): { readonly look: (state: EngineState) => void; readonly close: () => void } {
  let asked: { readonly id: string; readonly over: AbortController } | null = null;

  const ask = async (prompt: Prompt, over: AbortController): Promise<void> => {
    if (prompt.refused) io.err('The gateway refused it.');
    const signal = AbortSignal.any([over.signal, io.interrupted]);
    if (!io.askSecret) {
      // An answer of null would cancel it for everybody, also for the window in which a person types.
      io.err(
        printable(
          `The gateway wants to know: ${questionText(prompt).replace(/: $/, '')}. There is no terminal to ask on: answer in the window, or on a terminal with \`culvert up\`.`,
        ),
      );
      return;
    }
    const answer = await io.askSecret(printable(questionText(prompt)), signal);
    if (signal.aborted) return;
    // Answered elsewhere in the meantime.
    await engine.call('answerPrompt', { id: prompt.id, answer }).catch(() => {});
  };

  return {
    look(state) {
      const prompt = state.state === 'connecting' ? state.prompt : undefined;
      if (prompt?.id === asked?.id) return;
      asked?.over.abort();
      asked = prompt ? { id: prompt.id, over: new AbortController() } : null;
      if (prompt && asked) void ask(prompt, asked.over);
    },
    close: () => asked?.over.abort(),
  };
}

/** "Password for alice at vpn.example.com: ". */
function questionText({ kind, text, username, gateway }: Prompt): string {
  const what = kind === 'password' ? 'Password' : text === '' ? 'One-time code' : `One-time code (${text})`;
  return `${what} for ${username === '' ? gateway : `${username} at ${gateway}`}: `;
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
