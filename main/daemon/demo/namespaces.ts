// The demo as root on Linux: the gateway (main/gateway/run) in one network namespace, `culvert daemon` in another, real TUN
// adapters and the kernel's own TCP/IP at both ends, and between them a veth pair with nothing but IKE and ESP on it.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Status } from '../../ipc/contract.ts';
import { isLeftover, ofThisProcess, ownName } from './leftovers.ts';
import { clearLeftovers, demoNamespaces, joinNamespaces, makeNamespace, type Namespace } from './netns.ts';
import type { DemoOptions } from './options.ts';
import {
  checkFigures,
  describeCounters,
  describePings,
  describeTransfer,
  describeTunnel,
  type Pings,
  type Print,
  summarisePings,
  type Transfer,
} from './report.ts';
import { demoSetting, PROFILE_NAME } from './setting.ts';
import type { Undo } from './undo.ts';

const GATEWAY = '192.0.2.1';
const CLIENT = '192.0.2.2';
const PINGS = 20;
const TRAFFIC_PORT = 5001;
const PING_PROGRAMS = ['/usr/bin/ping', '/bin/ping', '/usr/sbin/ping', '/sbin/ping'];

const program = (path: string): string => fileURLToPath(new URL(`../../${path}.js`, import.meta.url));
const GATEWAY_PROGRAM = program('gateway/run');
const CULVERT_PROGRAM = program('cli/culvert');
const TRAFFIC_PROGRAM = program('daemon/demo/traffic');

export async function runNamespaces(options: DemoOptions, print: Print, undo: Undo): Promise<void> {
  for (const name of await clearLeftovers()) print(`(Removed ${name}, which a demo that was killed had left.)`);
  for (const name of readdirSync(tmpdir()).filter(isLeftover))
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  const directory = mkdtempSync(join(tmpdir(), ownName('')));
  undo.add('removing the temporary directory', () => rmSync(directory, { recursive: true, force: true }));
  const setting = demoSetting({ ...options, address: GATEWAY, ports: { ike: 500, natt: 4500 }, real: true });

  const far = await makeNamespace('gw');
  undo.add(`removing ${far.name}`, () => far.remove());
  const near = await makeNamespace('cl');
  undo.add(`removing ${near.name}`, () => near.remove());
  await joinNamespaces(far, `${GATEWAY}/24`, near, `${CLIENT}/24`);
  print(`1. Two network namespaces, joined by a veth pair (nothing else on this machine is touched):`);
  print(`     ${near.name} ${CLIENT}  ←→  ${GATEWAY} ${far.name}`);

  const configFile = join(directory, 'gateway.json');
  writeFileSync(configFile, JSON.stringify(setting.gateway), { mode: 0o600 });
  const gateway = far.start('the gateway', process.execPath, [GATEWAY_PROGRAM, '--config', configFile]);
  undo.add('stopping the gateway', () => gateway.stop());
  const socket = join(directory, 'engine.sock');
  const engine = near.start('the engine', process.execPath, [
    ...[CULVERT_PROGRAM, 'daemon', '--foreground', '--socket', socket],
    ...['--profiles', join(directory, 'profiles')],
  ]);
  undo.add('stopping the engine', () => engine.stop());
  await gateway.saw(/"event":"ready"/);
  await engine.saw(/ready: listening/);
  print(`2. A gateway listens on ${GATEWAY}, UDP 500 and 4500; the engine ("culvert daemon") runs on the other side.`);

  const culvert = (...args: string[]) =>
    near.run(process.execPath, [CULVERT_PROGRAM, ...args, '--socket', socket], 40_000);
  const profileFile = join(directory, 'demo.json');
  writeFileSync(profileFile, setting.profile({ ike: 500, natt: 4500 }), { mode: 0o600 });
  await culvert('import', profileFile);
  const started = performance.now();
  await culvert('up', PROFILE_NAME);
  const took = performance.now() - started;
  const { engine: state } = await statusOf(culvert);
  if (state.state !== 'connected') throw new Error(`the engine says "${state.state}" after \`culvert up\``);
  print(`3. "culvert up ${PROFILE_NAME}" took ${took.toFixed(0)} ms. What was agreed on:`);
  for (const line of describeTunnel(state.tunnel)) print(line);

  const traffic = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await near.run(process.execPath, [TRAFFIC_PROGRAM, ...args], 100_000)).stdout);
  const page = (await traffic('fetch', `http://${setting.inside}/`)) as { status: number; body: string };
  if (page.status !== 200) throw new Error(`the page came with HTTP status ${page.status} instead of 200`);
  print(`4. http://${setting.inside}/ fetched through the tunnel:`);
  for (const line of page.body.trimEnd().split('\n')) print(`  | ${line}`);

  const server = far.start('the traffic server', process.execPath, [
    ...[TRAFFIC_PROGRAM, 'serve', setting.inside, String(TRAFFIC_PORT)],
  ]);
  undo.add('stopping the traffic server', () => server.stop());
  await server.saw(/"listening"/);
  const pings = await measurePings(near, setting.inside, traffic, print);

  const port = String(TRAFFIC_PORT);
  const seconds = String(options.seconds);
  const up = (await traffic('send', setting.inside, port, seconds)) as Transfer;
  print(`6. TCP through the tunnel, to the gateway:   ${describeTransfer(up)}`);
  const down = (await traffic('receive', setting.inside, port, seconds)) as Transfer;
  print(`                           from the gateway: ${describeTransfer(down)}`);

  const { traffic: counted } = await statusOf(culvert);
  print('7. Counters of our packet core (the engine):');
  for (const line of describeCounters(counted?.counters ?? {})) print(`  ${line}`);
  await culvert('down');
  await gateway.saw(/"event":"down"/);
  await gateway.stop();
  print('   and of the gateway:');
  for (const line of describeCounters(gatewayCounters(gateway.output))) print(`  ${line}`);

  const problems = await undo.run();
  const left = (await demoNamespaces()).filter(ofThisProcess);
  if (problems.length > 0) throw new Error(`taking everything down: ${problems.join('; ')}`);
  if (left.length > 0 || existsSync(directory))
    throw new Error(`something is left behind: ${left.join(' ') || directory}`);
  print('8. Disconnected and taken down: both namespaces, every process and the temporary files are gone.');
  checkFigures(pings, [up, down]);
}

async function statusOf(culvert: (...args: string[]) => Promise<{ readonly stdout: string }>): Promise<Status> {
  return JSON.parse((await culvert('status', '--json')).stdout) as Status;
}

async function measurePings(
  near: Namespace,
  inside: string,
  traffic: (...args: string[]) => Promise<unknown>,
  print: Print,
): Promise<Pings> {
  const ping = PING_PROGRAMS.find((path) => existsSync(path));
  if (!ping) {
    const { trips } = (await traffic('trips', inside, String(TRAFFIC_PORT), String(PINGS))) as { trips: number[] };
    const pings = summarisePings(trips);
    print(`5. Round trips through the tunnel (TCP: there is no ping program here): ${describePings(pings)}.`);
    return pings;
  }
  // A lost ping is told by the figures; ping's own exit status would end the demo without them.
  const { stdout } = await near
    .run(ping, ['-n', '-c', String(PINGS), '-i', '0.05', '-W', '1', inside], 30_000)
    .catch((error: unknown) => ({ stdout: error instanceof Error ? error.message : '' }));
  const pings = parsePing(stdout);
  print(`5. Ping through the tunnel: ${describePings(pings)}.`);
  return pings;
}

/** What iputils and busybox print, one "time=0.42 ms" an answer. */
export function parsePing(output: string): Pings {
  const times = [...output.matchAll(/time=([\d.]+) ?ms/g)].map(([, time]) => Number(time));
  const answers: (number | undefined)[] = [...times];
  while (answers.length < PINGS) answers.push(undefined);
  return summarisePings(answers);
}

function gatewayCounters(output: string): Readonly<Record<string, number>> {
  const line = output.split('\n').find((text) => text.startsWith('{"event":"closed"'));
  return line ? (JSON.parse(line) as { counters: Record<string, number> }).counters : {};
}
