// The network on Windows: default route, adapter and router's hardware address by PowerShell, whose property names are the
// same in every language; the Wi-Fi's name and security by `netsh wlan show interfaces`, whose labels are translated, so it is
// read by its order: GUID, …, SSID, then the access point's BSSID. Since Windows 11 24H2 netsh wants the location permission
// (or an administrator); without it the network is unknown.
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

/** Lowest sum of both metrics first, as Windows chooses. NdisPhysicalMedium 9 is Wi-Fi (ndis.h: NdisPhysicalMediumNative802_11). */
export const QUERY = [
  "$ErrorActionPreference='SilentlyContinue'",
  "$r=@(Get-NetRoute -DestinationPrefix '0.0.0.0/0','::/0' -PolicyStore ActiveStore|" +
    'Sort-Object {$_.RouteMetric+$_.InterfaceMetric})[0]',
  'if($r){$a=Get-NetAdapter -IncludeHidden -InterfaceIndex $r.ifIndex',
  '$n=@(Get-NetNeighbor -InterfaceIndex $r.ifIndex -IPAddress $r.NextHop)[0]',
  '@{index=$r.ifIndex;hop=$r.NextHop;guid=[string]$a.InterfaceGuid;' +
    'medium=[int]$a.NdisPhysicalMedium;mac=[string]$n.LinkLayerAddress}|ConvertTo-Json -Compress}',
].join(';');

export function windowsAttachment(runner: Runner): AttachmentReader {
  return {
    async read() {
      const shell = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';
      const asked = await runner.run(shell, ['-NoProfile', '-NonInteractive', '-Command', QUERY]);
      if (asked instanceof NetError || asked.exitCode !== 0) return { attachment: unknown('not-readable'), mark: '' };
      const found = parseQuery(asked.stdout);
      if (found === null) return OFFLINE;
      if (found === undefined) return { attachment: unknown('not-readable'), mark: '' };
      if (!found.wifi) return placeOf(found, found.mac, undefined);
      const shown = await runner.run('C:\\Windows\\System32\\netsh.exe', ['wlan', 'show', 'interfaces']);
      const wifi = shown instanceof NetError || shown.exitCode !== 0 ? undefined : parseNetsh(shown.stdout, found.guid);
      return placeOf(found, found.mac, wifi ?? unknown('name-hidden'));
    },
  };
}

interface Found extends DefaultRoute {
  readonly guid: string;
  readonly wifi: boolean;
  readonly mac: string | undefined;
}

/** null: no default route; undefined: not what QUERY prints. */
export function parseQuery(text: string): Found | null | undefined {
  if (text.trim() === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { index, hop, guid, medium, mac } = value as Readonly<Record<string, unknown>>;
    if (typeof index !== 'number' || typeof hop !== 'string' || typeof guid !== 'string') return undefined;
    const onLink = hop === '0.0.0.0' || hop === '::' || hop === '';
    return {
      interfaceName: String(index),
      gateway: onLink ? null : hop,
      guid: guid.replace(/[{}]/g, '').toLowerCase(),
      wifi: medium === 9,
      mac: typeof mac === 'string' ? normaliseMac(mac) : undefined,
    };
  } catch {
    return undefined;
  }
}

/** Of `netsh wlan show interfaces`, in any language; undefined: that interface is not in it, or is not joined. */
export function parseNetsh(text: string, guid: string): Attachment | undefined {
  const lines = text.split(/\r?\n/).map((line) => {
    const at = line.indexOf(': ');
    return { key: (at < 0 ? line : line.slice(0, at)).trim(), value: at < 0 ? '' : line.slice(at + 2).trimEnd() };
  });
  const from = lines.findIndex(({ value }) => value.replace(/[{}]/g, '').toLowerCase() === guid);
  if (from < 0) return undefined;
  const next = lines.findIndex(({ key }, i) => i > from && key === 'GUID');
  const own = lines.slice(from, next < 0 ? undefined : next);
  const at = own.findIndex(({ key }) => key === 'SSID');
  const name = own[at]?.value;
  if (at < 0 || !name) return undefined;
  // What comes next is the BSSID. Anything else is the rest of a name with a line end in it, which could say what it likes.
  const beside = own[at + 1];
  if (!beside || !/^(?:AP )?BSSID$/.test(beside.key) || normaliseMac(beside.value) === undefined)
    return unknown('not-readable');
  // In the console's code page, which is not always UTF-8: a name that was not understood could be any.
  if (own.filter(({ key }) => key === 'SSID').length > 1 || name.includes('\ufffd')) return unknown('not-readable');
  // "WPA2-Personal", "WPA2 - Personnel", "WPA2-パーソナル": the abbreviation is the same everywhere. The last line repeats
  // the name of the profile, which may be anything.
  const secured = own.slice(at + 2, at + 10).some(({ value }) => /^WPA[23]?\b/.test(value));
  return { kind: 'wifi', name, secured };
}
