// Asks for a secret on the terminal without showing it. The terminal is in raw mode only while one is typed.

/** What is used of node:tty's streams. */
export interface Terminal {
  readonly input: {
    readonly isTTY: boolean;
    setRawMode(raw: boolean): unknown;
    on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
    off(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
    resume(): unknown;
    pause(): unknown;
  };
  readonly output: { write(text: string): unknown };
}

/** More than any password; a stuck key must not fill the memory. */
const MOST_CHARACTERS = 1000;

/** null: the person pressed Ctrl-C, Ctrl-D or Escape, `signal` came, or there is no terminal. `question`: one line. */
export function askSecret({ input, output }: Terminal, question: string, signal: AbortSignal): Promise<string | null> {
  if (!input.isTTY || signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => {
    let typed = '';
    const decoder = new TextDecoder();
    const end = (answer: string | null): void => {
      input.off('data', onData);
      signal.removeEventListener('abort', onAbort);
      input.setRawMode(false);
      input.pause();
      output.write('\n');
      resolve(answer);
    };
    const onAbort = (): void => end(null);
    const onData = (chunk: Uint8Array): void => {
      const text = decoder.decode(chunk, { stream: true });
      // A key that is not a character (arrows, …) comes as one chunk that begins with Escape.
      if (text.length > 1 && text.startsWith('\u001b')) return;
      for (const character of text)
        switch (character) {
          case '\r':
          case '\n':
            end(typed);
            return;
          case '\u0003':
          case '\u0004':
          case '\u001b':
            end(null);
            return;
          case '\u007f':
          case '\b':
            typed = [...typed].slice(0, -1).join('');
            break;
          case '\u0015':
            typed = '';
            break;
          default:
            if (typed.length < MOST_CHARACTERS && character >= ' ') typed += character;
        }
    };
    output.write(question);
    input.setRawMode(true);
    input.on('data', onData);
    signal.addEventListener('abort', onAbort, { once: true });
    input.resume();
  });
}
