// The network on macOS: the default route by `route`, the router's hardware address by `arp`, and Wi-Fi by
// `ipconfig getsummary`, whose words are the same in every language. Since macOS 14 the name is "<redacted>" for programs
// without the location permission, which an engine in the background cannot ask for: that network is unknown then.
// Nothing calls it yet: main/daemon/adapters.ts refuses every platform but Linux. It is ready for the engine that will.
import { NetError } from '../error.ts';
import type { Runner } from '../runner.ts';
import {
  type Attachment,
  type AttachmentReader,
  type DefaultRoute,
  normaliseMac,
  OFFLINE,
  placeOf,
  unknown,
} from './api.ts';

export function darwinAttachment(runner: Runner): AttachmentReader {
  const run = async (command: string, ...args: string[]): Promise<string | undefined> => {
    const result = await runner.run(command, args);
    return result instanceof NetError || result.exitCode !== 0 ? undefined : result.stdout;
  };
  return {
    async read() {
      // Fails where there is no default route.
      const found = parseRouteGet((await run('/sbin/route', '-n', 'get', 'default')) ?? '');
      if (!found) return OFFLINE;
      const arp = found.gateway === null ? '' : await run('/usr/sbin/arp', '-n', found.gateway);
      const summary = await run('/usr/sbin/ipconfig', 'getsummary', found.interfaceName);
      return placeOf(found, parseArp(arp ?? ''), summary === undefined ? undefined : parseSummary(summary));
    },
  };
}

/** Of `route -n get default`. */
export function parseRouteGet(text: string): DefaultRoute | undefined {
  const interfaceName = /^\s*interface: (\S+)\s*$/m.exec(text)?.[1];
  if (interfaceName === undefined) return undefined;
  const gateway = /^\s*gateway: (\S+)\s*$/m.exec(text)?.[1] ?? null;
  return { interfaceName, gateway: gateway !== null && /^[0-9a-f.:%]+$|^fe80:.*%/i.test(gateway) ? gateway : null };
}

/** Of `arp -n ADDRESS`: "? (192.168.1.1) at b4:fb:e4:1:87:3f on en0 ifscope [ethernet]". */
export function parseArp(text: string): string | undefined {
  const found = /^\? \([^)]*\) at ([0-9a-f:]+) on /m.exec(text)?.[1];
  return found === undefined ? undefined : normaliseMac(found);
}

/** Of `ipconfig getsummary NAME`; undefined: this is no Wi-Fi. */
export function parseSummary(text: string): Attachment | undefined {
  // Only the outermost dictionary's own keys. A key that is there twice was forged by a name with a line end in it.
  const values = (key: string): string[] =>
    [...text.matchAll(new RegExp(`^ {2}${key} : (.*)$`, 'gm'))].map((m) => m[1]!);
  const [kinds, names, security] = [values('InterfaceType'), values('SSID'), values('Security')];
  if (kinds.length < 2 && kinds[0] !== 'WiFi') return undefined;
  const [name] = names;
  const forged = [kinds, names, security].some(({ length }) => length > 1) || text.trimEnd().split('\n').some(strange);
  if (forged || !name) return unknown('not-readable');
  if (name === '<redacted>') return unknown('name-hidden');
  return { kind: 'wifi', name, secured: /WPA|SAE|PSK|8021X/.test(security[0] ?? '') };
}

/** A line that the summary of a dictionary does not have: the rest of a name with a line end in it. */
const strange = (line: string): boolean => !/^(?:\s*\S[^:]* : .*|\s*\}|<dictionary> \{)$/.test(line);
