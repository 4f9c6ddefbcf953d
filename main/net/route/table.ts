// One address family's share of the policy: our rule and our table, read with `ip -json`, changed with `ip -batch`.
import { type Prefix, parsePrefix } from '../../wire/address.ts';
import { NetError } from '../error.ts';
import { commandLine, type Runner, runOrError } from '../runner.ts';
import { destination, FALLBACK_METRIC, routeKey, type TableRoute } from './plan.ts';

/** Every packet without MARK consults TABLE before the main table (priority 32766). Ours alone: cleanUp empties them. */
export const TABLE = 4750;
export const MARK = 0x4750;
export const RULE_PRIORITY = 31750;
/** rtm_protocol of our routes and rule: whose they are (see /etc/iproute2/rt_protos for others'). */
export const PROTOCOL = 147;
export const RULE = `priority ${RULE_PRIORITY} not fwmark ${hex(MARK)} lookup ${TABLE} protocol ${PROTOCOL}`;

export type Family = 4 | 6;

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

interface RuleRow {
  readonly priority?: number;
  readonly table?: string;
  readonly fwmark?: string;
  readonly protocol?: string;
  readonly not?: null;
}

interface RouteRow {
  readonly type?: string;
  readonly dst: string;
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly gateway?: string;
  readonly protocol?: string;
  readonly metric?: number;
  readonly nexthops?: readonly unknown[];
}

export interface FamilyState {
  /** How many copies of our rule there are. */
  readonly rules: number;
  /** Routes of our table, by `routeKey`; markers (see reverse-path.ts) apart. */
  readonly routes: Map<string, TableRoute>;
  readonly markers: readonly { readonly index: number; readonly metric: number }[];
}

/** undefined: the family does not exist on this machine. */
export async function readState(runner: Runner, family: Family): Promise<FamilyState | undefined | NetError> {
  const rules = await list<RuleRow>(runner, ['-json', `-${family}`, 'rule', 'show']);
  if (rules instanceof NetError) return rules;
  if (!rules) return undefined;
  const rows = await list<RouteRow>(runner, ['-json', `-${family}`, 'route', 'show', 'table', String(TABLE)]);
  if (rows instanceof NetError) return rows;
  const routes = new Map<string, TableRoute>();
  const markers: { index: number; metric: number }[] = [];
  for (const row of rows ?? []) {
    const prefix = prefixOf(row.dst, family);
    if (!prefix) continue;
    const type = row.type ?? 'unicast';
    if (type === 'throw' && family === 4 && prefix.address[0] === 127)
      markers.push({ index: new DataView(prefix.address.buffer).getUint32(0) & 0xffffff, metric: row.metric ?? 0 });
    else if (type === 'unicast')
      routes.set(destination(prefix), {
        type,
        prefix,
        ...(row.dev ? { dev: row.dev } : {}),
        ...(row.prefsrc ? { source: row.prefsrc } : {}),
      });
    else if (type === 'unreachable' && row.metric === FALLBACK_METRIC)
      routes.set(routeKey(prefix, true), { type, prefix, fallback: true });
    else if (type === 'throw' || type === 'unreachable') routes.set(destination(prefix), { type, prefix });
  }
  return { rules: rules.filter(isOurs).length, routes, markers };
}

function isOurs(rule: RuleRow): boolean {
  return rule.table === String(TABLE) && rule.priority === RULE_PRIORITY && rule.protocol === String(PROTOCOL);
}

/** Networks that the host is attached to, through interfaces other than `except`, and those interfaces. */
export async function readAttached(
  runner: Runner,
  family: Family,
  except: string,
): Promise<{ readonly networks: readonly Prefix[]; readonly devices: readonly string[] } | NetError> {
  const rows = await list<RouteRow>(runner, ['-json', `-${family}`, 'route', 'show', 'table', 'main']);
  if (rows instanceof NetError) return rows;
  const others = (rows ?? []).filter((row) => (row.type ?? 'unicast') === 'unicast' && row.dev && row.dev !== except);
  const networks = others
    .filter((row) => !row.gateway && !row.nexthops && row.dst !== 'default')
    .flatMap((row) => prefixOf(row.dst, family) ?? []);
  return { networks, devices: [...new Set(others.map((row) => row.dev!))] };
}

function prefixOf(dst: string, family: Family): Prefix | undefined {
  const prefix = parsePrefix(dst === 'default' ? (family === 4 ? '0.0.0.0/0' : '::/0') : dst);
  return prefix && prefix.address.length === (family === 4 ? 4 : 16) ? prefix : undefined;
}

/** undefined where the kernel knows no such family; [] where the table does not exist (yet). */
async function list<Row>(runner: Runner, args: readonly string[]): Promise<readonly Row[] | undefined | NetError> {
  const result = await runner.run('ip', args);
  if (result instanceof NetError) return result;
  if (result.exitCode === 0) return JSON.parse(result.stdout.trim() || '[]') as readonly Row[];
  if (result.stderr.includes('table does not exist')) return [];
  if (/not supported|Invalid argument|Cannot send dump/.test(result.stderr)) return undefined;
  return new NetError({
    code: 'command-failed',
    message: `"${commandLine('ip', args)}" failed: ${result.stderr.trim() || `exit code ${result.exitCode}`}.`,
    operation: commandLine('ip', args),
    remedy: 'Run the command by hand as root to see why; routes cannot be managed without it.',
  });
}

function words({ type, prefix, dev, source, fallback }: TableRoute): string {
  const through = dev ? ` dev ${dev}` : '';
  const from = source ? ` src ${source}` : '';
  const metric = fallback ? ` metric ${FALLBACK_METRIC}` : '';
  // A route without a router has "link" for its scope, and the kernel would take the tunnel for the network in which other routes'
  // routers are: "ip route add default via …" without a device would lead into the tunnel, and the tunnel's own packets with it.
  const scope = dev && prefix.address.length === 4 ? ' scope global' : '';
  return `${type} ${destination(prefix)}${through}${scope} table ${TABLE} protocol ${PROTOCOL}${from}${metric}`;
}

/**
 * Lines for `ip -batch` from `present` to `wanted`. Additions first (`replace` swaps what one destination means in one
 * step) and the rule after the routes it leads to, so that no packet finds the table half empty on the way up.
 */
export function difference(
  present: Pick<FamilyState, 'rules' | 'routes'>,
  wanted: ReadonlyMap<string, TableRoute>,
): string[] {
  const lines: string[] = [];
  for (const [to, route] of wanted) {
    const now = present.routes.get(to);
    if (now?.type !== route.type || now.dev !== route.dev || now.source !== route.source)
      lines.push(`route replace ${words(route)}`);
  }
  const rules = wanted.size > 0 ? 1 : 0;
  for (let i = present.rules; i < rules; i++) lines.push(`rule add ${RULE}`);
  // Going down, the rule goes first: one step from everything to nothing.
  for (let i = present.rules; i > rules; i--) lines.push(`rule del ${RULE}`);
  for (const [to, route] of present.routes) if (!wanted.has(to)) lines.push(`route del ${words(route)}`);
  return lines;
}

export async function change(runner: Runner, family: Family, lines: readonly string[]): Promise<NetError | undefined> {
  if (lines.length === 0) return undefined;
  const done = await runOrError(runner, 'ip', [`-${family}`, '-batch', '-'], `${lines.join('\n')}\n`);
  return done instanceof NetError ? done : undefined;
}
