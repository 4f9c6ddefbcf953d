#!/usr/bin/env node
import { hasLock } from '../daemon/lock-place.ts';
import { readVersion } from '../daemon/version.ts';
// The command line's entry: real terminal, real signals, real exit codes.
import { connectEngine } from '../ipc/client.ts';
import { askSecret } from './ask.ts';
import { explainCrash } from './crashed.ts';
import { startEngine } from './engine.ts';
import { Exit } from './exit.ts';
import type { CliIo } from './io.ts';
import { runProgram } from './program.ts';

const interrupt = new AbortController();
const io: CliIo = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  isTerminal: process.stdout.isTTY === true,
  now: () => Date.now(),
  connect: explainCrash(connectEngine, hasLock),
  ...(process.stdin.isTTY
    ? { askSecret: (question, signal) => askSecret({ input: process.stdin, output: process.stderr }, question, signal) }
    : {}),
  interrupted: interrupt.signal,
};

// `culvert logs -f | head` ends when head has seen enough.
process.stdout.on('error', () => process.exit(Exit.OK));

const onSignal = (): void => {
  // A second one ends the program whatever it is doing.
  if (interrupt.signal.aborted) process.exit(Exit.INTERRUPTED);
  interrupt.abort();
};
const signals = ['SIGINT', 'SIGTERM'] as const;
for (const signal of signals) process.on(signal, onSignal);

const code = await runProgram(process.argv.slice(2), {
  io,
  version: readVersion(),
  environment: process.env,
  daemon: (options) => {
    // The engine has its own way to end.
    for (const signal of signals) process.removeListener(signal, onSignal);
    process.stdout.removeAllListeners('error');
    process.stdout.on('error', () => {});
    return startEngine(options, io);
  },
});
// Not process.exit: what is still in the pipes must get out first.
if (code !== undefined) process.exitCode = code;
