// What routing rules of others decide before ours is asked (ip-rule(8): the smallest priority first), another VPN's above all: as the
// routes leave that alone, so does the firewall.
//
//   5210  fwmark 0x80000/0xff0000 lookup main     its own packets, which only the system may mark  ▶ accept that mark
//   5270  lookup 52                               what it carries                                  ▶ accept its routes, each through its interface
//
// Rules that ask for more (a source, a user, a protocol) are not repeated: what only they let out stays refused here.
import { type Prefix, parsePrefix } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { destination } from '../route/plan.ts';
import { type Family, RULE_PRIORITY, TABLE } from '../route/table.ts';
import { type Runner, runOrError } from '../runner.ts';

type Row = Readonly<Record<string, unknown>>;

/** Every key of a rule that is understood here. Any other is a condition, or does something else than look into a table. */
const UNDERSTOOD = ['priority', 'src', 'table', 'protocol', 'fwmark', 'fwmask', 'suppress_prefixlen'];

/** Lines for the chain of what leaves. Without the rules (`ip` fails) there are none. */
export async function acceptEarlier(runner: Runner, tunnel: string): Promise<readonly string[]> {
  const lines = new Set<string>();
  for (const family of [4, 6] as const)
    for (const rule of (await rows(runner, [`-${family}`, 'rule', 'show'])).filter(isEarlier)) {
      const mark = markOf(rule);
      if (mark !== undefined) lines.add(`meta mark ${mark} accept`);
      if (mark !== undefined || rule.fwmark !== undefined) continue;
      const shortest = typeof rule.suppress_prefixlen === 'number' ? rule.suppress_prefixlen + 1 : 0;
      for (const route of await rows(runner, [`-${family}`, 'route', 'show', 'table', String(rule.table)])) {
        const prefix = prefixOf(route, family);
        if (!prefix || prefix.bits < shortest) continue;
        for (const device of devicesOf(route).filter((name) => name !== tunnel))
          lines.add(`oifname "${device}" ${family === 4 ? 'ip' : 'ip6'} daddr ${destination(prefix)} accept`);
      }
    }
  return [...lines];
}

async function rows(runner: Runner, words: readonly string[]): Promise<readonly Row[]> {
  const text = await runOrError(runner, 'ip', ['-json', ...words]);
  return text instanceof NetError ? [] : (JSON.parse(text.trim() || '[]') as readonly Row[]);
}

const isEarlier = (rule: Row): boolean =>
  typeof rule.priority === 'number' &&
  rule.priority > 0 &&
  rule.priority < RULE_PRIORITY &&
  rule.src === 'all' &&
  typeof rule.table === 'string' &&
  rule.table !== 'local' &&
  rule.table !== String(TABLE) &&
  Object.keys(rule).every((key) => UNDERSTOOD.includes(key));

/** "and 0xff0000 == 0x80000"; undefined where the rule wants none, or that there is none. */
function markOf({ fwmark, fwmask = '0xffffffff' }: Row): string | undefined {
  const [mark, mask] = [fwmark, fwmask].map((text) => (/^0x[0-9a-f]{1,8}$/.test(String(text)) ? String(text) : '0x0'));
  return Number(mark) === 0 || Number(mask) === 0 ? undefined : `and ${mask} == ${mark}`;
}

function prefixOf({ type = 'unicast', dst }: Row, family: Family): Prefix | undefined {
  if (type !== 'unicast') return undefined;
  const prefix = parsePrefix(dst === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : String(dst));
  return prefix?.address.length === (family === 4 ? 4 : 16) ? prefix : undefined;
}

/** Only names that nftables takes as they are. */
const devicesOf = ({ dev, nexthops }: Row): readonly string[] =>
  (Array.isArray(nexthops) ? (nexthops as readonly Row[]).map((hop) => hop.dev) : [dev]).filter(
    (name): name is string => typeof name === 'string' && /^[\w.:@+-]+$/.test(name),
  );
