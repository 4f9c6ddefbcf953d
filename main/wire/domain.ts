// Domain names as people and gateways write them (RFC 1035 §2.3.1; presentation format, A-labels: RFC 8598 §4.1).

/** RFC 1035 §2.3.4, less the length byte and the root's zero. */
const LONGEST = 253;
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

/** The domain in lower case, without a dot at the end; undefined where the text is none. The root is none. */
export function domainOf(text: string): string | undefined {
  const name = text.replace(/\.$/, '').toLowerCase();
  return name.length <= LONGEST && NAME.test(name) ? name : undefined;
}

/**
 * "example.test", "www.example.test" and "mail.eng.example.test" are under "example.test"; "otherexample.test" and "ple.test"
 * are not (RFC 8598 §5). Both as domainOf gives them.
 */
export function isUnder(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
