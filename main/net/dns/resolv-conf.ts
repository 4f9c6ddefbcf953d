// /etc/resolv.conf as text: what it says, and what it says while a tunnel is up. What was there before stands in it as
// comments, so that any later run can put it back without another file (resolv.conf(5): lines behind # are ignored).
import { type Address, formatAddress, parseAddress } from '../../wire/address.ts';

const MARK = '# Written by Culvert while a tunnel is up. The lines behind "#was " were here before and come back.';
const WAS = '#was ';

/** Is a tunnel's resolv.conf in force, of this run or one that crashed? */
export const isOurs = (text: string): boolean => text.startsWith(MARK);

/** What was there before. */
export function formerOf(text: string): string {
  if (!isOurs(text)) return text;
  const lines = text.split('\n').filter((line) => line.startsWith(WAS));
  return lines.map((line) => line.slice(WAS.length)).join('\n');
}

/**
 * Name servers that a resolv.conf says, in order, as hosts to be connected to: a link-local address keeps its zone ("fe80::1%eth0").
 * Where it says none, the C library asks this computer itself (resolv.conf(5)).
 */
export function hostsOf(text: string): readonly string[] {
  const hosts = lines(text, 'nameserver').flatMap((value) => {
    const [host = ''] = value.split(/\s+/);
    return parseAddress(host.replace(/%.*$/, '')) ? [host] : [];
  });
  return hosts.length > 0 ? hosts : ['127.0.0.1'];
}

/** The file while a tunnel is up: other servers, search domains in front, the options as they were. */
export function replaced(former: string, servers: readonly Address[], domains: readonly string[]): string {
  const search = [...domains, ...(lines(former, 'search').at(-1) ?? lines(former, 'domain').at(-1) ?? '').split(/\s+/)];
  const unique = [...new Set(search.filter((name) => name !== ''))].slice(0, 6);
  return [
    MARK,
    // glibc reads three and no more (MAXNS).
    ...servers.slice(0, 3).map((server) => `nameserver ${formatAddress(server)}`),
    ...(unique.length > 0 ? [`search ${unique.join(' ')}`] : []),
    ...lines(former, 'options').map((value) => `options ${value}`),
    // The lines as they are, and an end of file as it is: split and join are each other's inverse.
    ...former.split('\n').map((line) => `${WAS}${line}`),
    '',
  ].join('\n');
}

function lines(text: string, keyword: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\w+)\s+(.*?)\s*$/.exec(line);
    return match && match[1] === keyword ? [match[2]!] : [];
  });
}
