// The gateway as a program of its own: `node build/out/main/gateway/run.js --config file.json`. Prints one JSON line when it
// is ready and one for each event, and a last one with the counters; ends on SIGTERM and SIGINT.
//
//   {"event":"ready","tun":{…},"ike":"192.0.2.1:500","natt":"192.0.2.1:4500","page":["http://10.88.0.1/"]}
//   {"event":"up","client":{"identity":"alice@example.com",…}}
//   {"event":"down","client":{…},"reason":"the client disconnected"}
//   {"event":"closed","counters":{"inPackets":120,…}}
//
// Exit status: 0 after a signal, 1 when it failed or could not start (the reason on standard error), 2 for a wrong
// command line or configuration.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { NetError } from '../net/error.ts';
import { linuxSocketFactory } from '../net/socket/linux.ts';
import { linuxTunAdapter } from '../net/tun/linux.ts';
import { startDataPlane } from '../path/start.ts';
import { formatAddress, formatEndpoint, formatPrefix } from '../wire/address.ts';
import { systemClock } from './clock.ts';
import { GatewayConfigError, parseGatewayConfig } from './config.ts';
import type { GatewayEvent } from './event.ts';
import { createGateway } from './gateway.ts';
import { servePages, welcomePages } from './page.ts';

const USAGE = `usage: node build/out/main/gateway/run.js --config file.json [--verbose]

  --config   the gateway's configuration (docs/demo.md explains it)
  --verbose  print the log of the negotiation as events too`;

function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(): Promise<number> {
  let options: { config?: string | undefined; verbose?: boolean | undefined };
  try {
    options = parseArgs({ options: { config: { type: 'string' }, verbose: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (!options.config) {
    console.error(USAGE);
    return 2;
  }
  const config = parseGatewayConfig(readJson(options.config));

  let stop = (_status: number): void => {};
  const stopped = new Promise<number>((resolve) => {
    stop = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(0));

  const onEvent = (event: GatewayEvent): void => {
    switch (event.kind) {
      case 'up':
      case 'moved':
        print({ event: event.kind, client: event.client });
        return;
      case 'down':
        print({ event: 'down', client: event.client, reason: event.reason });
        return;
      case 'log':
        if (options.verbose || event.level === 'warn') print({ event: 'log', level: event.level, text: event.text });
        return;
      case 'failed':
        console.error(`The gateway failed: ${event.message}.\nStart it again; its clients connect anew.`);
        stop(1);
    }
  };
  const gateway = await createGateway(config, {
    tun: linuxTunAdapter({ offloads: config.tun.offloads }),
    sockets: linuxSocketFactory({ gro: config.tun.offloads }),
    startDataPlane,
    random: randomBytes,
    clock: systemClock,
    onEvent,
  });
  // The clock's timers do not keep a process alive, and nothing else may be going on for a long while.
  const alive = setInterval(() => {}, 1 << 30);
  let page: { close(): Promise<void> } | undefined;
  try {
    const inner = gateway.tun.addresses.map(({ address }) => address);
    const { pagePort } = config;
    if (pagePort !== null) page = await servePages(welcomePages(formatEndpoint(gateway.natt)), inner, pagePort);
    print({
      event: 'ready',
      pid: process.pid,
      tun: { ...gateway.tun, addresses: gateway.tun.addresses.map(formatPrefix) },
      ike: formatEndpoint(gateway.ike),
      natt: formatEndpoint(gateway.natt),
      page: pagePort === null ? [] : inner.map((address) => pageUrl(address, pagePort)),
    });
    return await stopped;
  } finally {
    clearInterval(alive);
    const { counters } = gateway.statistics();
    await page?.close();
    await gateway.close();
    print({ event: 'closed', counters: Object.fromEntries(Object.entries(counters).filter(([, count]) => count > 0)) });
  }
}

function readJson(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the text, and with it perhaps a secret: only the place is told.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
    throw new GatewayConfigError([
      { pointer: '', message: `${path} is not JSON${line === undefined ? '' : ` (line ${line})`}` },
    ]);
  }
}

function pageUrl(address: Uint8Array, port: number): string {
  const host = address.length === 4 ? formatAddress(address) : `[${formatAddress(address)}]`;
  return `http://${host}${port === 80 ? '' : `:${port}`}/`;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    if (error instanceof NetError) console.error(`${error.message}\n${error.remedy}`);
    else console.error(error instanceof Error ? error.message : String(error));
    process.exit(error instanceof GatewayConfigError ? 2 : 1);
  },
);
