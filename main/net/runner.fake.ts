// A Runner for tests: records every command and answers from a script.
import type { NetError } from './error.ts';
import { commandLine, type Runner, type RunResult } from './runner.ts';

export type Answer = string | Partial<RunResult> | NetError;

export interface RecordingRunner extends Runner {
  /** Every command that was run ("ip -4 -batch -", its input lines below it, indented) and setting written, in order. */
  readonly transcript: string[];
  readonly settings: Map<string, string>;
}

/** `answer` gives what a command prints (or its exit code, or a NetError); undefined: success and no output. */
export function recordingRunner(
  answer: (line: string, input: string | undefined) => Answer | undefined = () => undefined,
  settings: Readonly<Record<string, string>> = {},
): RecordingRunner {
  const transcript: string[] = [];
  const values = new Map(Object.entries(settings));
  return {
    transcript,
    settings: values,
    run: async (command, args, input) => {
      const line = commandLine(command, args);
      transcript.push(
        line,
        ...(input
          ? input
              .trimEnd()
              .split('\n')
              .map((text) => `  ${text}`)
          : []),
      );
      const given = answer(line, input);
      if (typeof given === 'string' || given === undefined) return { exitCode: 0, stdout: given ?? '', stderr: '' };
      if (given instanceof Error) return given;
      return { exitCode: 0, stdout: '', stderr: '', ...given };
    },
    readSetting: async (path) => values.get(path),
    writeSetting: async (path, value) => {
      transcript.push(`set ${path} = ${value}`);
      values.set(path, value);
      return undefined;
    },
  };
}
