// What the operating system hands over: `culvert://import?url=https://…`, or a profile file (*.culvert). Either leads to a
// preview that the person may accept; nothing here connects, whatever the link says.
export type DeepLink =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

export const SCHEME = 'culvert';
export const EXTENSION = '.culvert';
const LONGEST = 2048;

/** undefined: not for us, or not as it should be. Any web page can make such a link: only https, no credentials. */
export function parseLink(text: string): DeepLink | undefined {
  if (text.length > LONGEST) return undefined;
  if (!text.toLowerCase().startsWith(`${SCHEME}:`))
    return text.toLowerCase().endsWith(EXTENSION) ? { kind: 'file', path: text } : undefined;
  try {
    const link = new URL(text);
    if (link.host !== 'import' || (link.pathname !== '' && link.pathname !== '/')) return undefined;
    const target = new URL(link.searchParams.get('url') ?? '');
    if (target.protocol !== 'https:' || target.username || target.password) return undefined;
    return { kind: 'url', url: target.href };
  } catch {
    return undefined;
  }
}

/** The first link or profile file of a command line (Linux, Windows: also of the second instance's). */
export function linkOfArguments(argv: readonly string[]): DeepLink | undefined {
  for (const word of argv.slice(1)) {
    const link = word.startsWith('-') ? undefined : parseLink(word);
    if (link) return link;
  }
  return undefined;
}
