// A secret typed on a terminal: nothing of it is shown, and the terminal is as before afterwards.
import { describe, expect, it } from 'vitest';
import { askSecret, type Terminal } from '../../main/cli/ask.ts';

function terminal(isTTY = true) {
  const listeners = new Set<(chunk: Uint8Array) => void>();
  const state = { shown: '', raw: false, flowing: false, listeners };
  const io: Terminal = {
    input: {
      isTTY,
      setRawMode: (raw) => {
        state.raw = raw;
      },
      on: (_event, listener) => listeners.add(listener),
      off: (_event, listener) => listeners.delete(listener),
      resume: () => {
        state.flowing = true;
      },
      pause: () => {
        state.flowing = false;
      },
    },
    output: {
      write: (text) => {
        state.shown += text;
      },
    },
  };
  const type = (text: string | Uint8Array): void => {
    for (const listener of listeners) listener(Buffer.from(text));
  };
  return { io, type, state };
}

const never = new AbortController().signal;

describe('askSecret', () => {
  it.each<[string, string[], string | null]>([
    ['an ordinary password', ['s3cr', 'et\r'], 's3cret'],
    ['corrections', ['ax\u007fb', '\u001b[D', 'c\n'], 'abc'],
    ['a line thrown away', ['wrong\u0015right\r'], 'right'],
    ['letters beyond ASCII', ['Zürich🔑\u007f\r'], 'Zürich'],
    ['nothing', ['\r'], ''],
    ['Ctrl-C', ['abc\u0003'], null],
    ['Ctrl-D', ['\u0004'], null],
    ['Escape', ['\u001b'], null],
    ['control characters', ['a\u0001b\t\r'], 'ab'],
  ])('takes %s', async (_what, keys, answer) => {
    const { io, type, state } = terminal();
    const asked = askSecret(io, 'Password: ', never);
    expect(state.raw).toBe(true);
    for (const key of keys) type(key);
    expect(await asked).toBe(answer);
    expect(state.shown).toBe('Password: \n');
    expect([state.raw, state.flowing, state.listeners.size]).toEqual([false, false, 0]);
  });

  it('takes a character whose bytes come apart', async () => {
    const { io, type } = terminal();
    const asked = askSecret(io, '', never);
    const [first, second] = Buffer.from('ü');
    type(Uint8Array.of(first!));
    type(Uint8Array.of(second!));
    type('\r');
    expect(await asked).toBe('ü');
  });

  it('leaves off when told so, and gives the terminal back', async () => {
    const { io, type, state } = terminal();
    const over = new AbortController();
    const asked = askSecret(io, '', over.signal);
    type('half a pass');
    over.abort();
    expect(await asked).toBeNull();
    expect([state.raw, state.listeners.size]).toEqual([false, 0]);
  });

  it('asks nobody without a terminal', async () => {
    const { io, state } = terminal(false);
    expect(await askSecret(io, 'Password: ', never)).toBeNull();
    expect(state.shown).toBe('');
  });
});
