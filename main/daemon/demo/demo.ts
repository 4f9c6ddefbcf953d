// `npm run demo`: a tunnel in front of one's eyes. As root on Linux with real adapters in network namespaces of its own,
// otherwise over loopback with adapters in memory. Ends with status 0 where everything worked and nothing is left behind.
import { runLoopback } from './loopback.ts';
import { runNamespaces } from './namespaces.ts';
import { whyNoNamespaces } from './netns.ts';
import { parseDemoOptions } from './options.ts';
import { createUndo } from './undo.ts';

/** Resolves to the exit status. */
export async function demo(args: readonly string[]): Promise<number> {
  const options = parseDemoOptions(args);
  if ('text' in options) {
    (options.wrong ? process.stderr : process.stdout).write(`${options.text}\n`);
    return options.wrong ? 2 : 0;
  }
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const undo = createUndo();
  let interrupted: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (interrupted) return;
      interrupted = signal;
      print(`\n${signal}: taking everything down …`);
      undo.run().then((problems) => {
        for (const problem of problems) print(`  ${problem}`);
        process.exit(130);
      });
    });
  const started = performance.now();
  try {
    const why = options.loopback ? 'you asked for it' : await whyNoNamespaces();
    if (why === undefined) await runNamespaces(options, print, undo);
    else {
      print(`Running over loopback, with adapters in memory: ${why}.`);
      await runLoopback(options, print, undo);
    }
    print(`\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
    return 0;
  } catch (error) {
    if (interrupted) return await new Promise(() => {});
    print(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    for (const problem of await undo.run()) print(`  ${problem}`);
    return 1;
  }
}
