// Reads keys out of charon's log (level 4 for ike and chd), for decrypting captures of the laboratory.

/** The bytes of the hex dump that follows the first `label => N bytes` after `from`, as hex. */
export function dumped(log: string, label: string, from = 0): string {
  const start = log.indexOf(`${label} => `, from);
  if (start < 0) throw new Error(`charon's log has no "${label}"`);
  const [first, ...lines] = log.slice(start).split('\n');
  const bytes = Number(/=> (\d+) bytes/.exec(first as string)?.[1]);
  let hex = '';
  for (const line of lines) {
    if (hex.length === bytes * 2) break;
    const row = /\]\s+\d+: ((?:[0-9A-F]{2} ?)+)/.exec(line);
    if (!row) throw new Error(`charon's dump of "${label}" is broken: ${line}`);
    hex += (row[1] as string).replaceAll(' ', '');
  }
  return hex.toLowerCase();
}
