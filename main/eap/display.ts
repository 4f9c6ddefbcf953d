// A server's words (a prompt, a notification, a reason) on their way to a person: no control, direction-changing or unassigned
// character reaches a terminal or a window, and no flood of text.

const MOST_CHARACTERS = 200;

export function harmless(words: Uint8Array | string): string {
  const text = typeof words === 'string' ? words : new TextDecoder().decode(words);
  const line = text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/[\p{C}\u2028\u2029]/gu, '')
    .trim();
  const characters = [...line];
  return characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS - 1).join('')}…` : line;
}
