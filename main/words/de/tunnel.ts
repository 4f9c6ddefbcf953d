import type { tunnel as en } from '../en/tunnel.ts';
import type { Translated } from '../message.ts';

export const tunnel: Translated<typeof en> = {
  'tunnel.plain':
    'Dieser Tunnel ist bloßes GRE: NICHTS IST VERSCHLÜSSELT ODER AUTHENTIFIZIERT. Verwenden Sie ihn nur im Labor.',
  'tunnel.ipv6Off': 'IPv6 ist im Tunnel aus: Es braucht eine MTU von mindestens 1280, und diese ist {mtu}.',
  'tunnel.mtuTooLarge':
    'Die MTU ist auf {value} gesetzt, aber auf einen Pfad von {path} passen nur {computed}: Größere Pakete werden zerteilt oder gehen verloren.',
  'tunnel.noFamily': 'Blockiert, weil der Tunnel keine Adresse dieser Familie hat: {prefixes}.',
  'tunnel.carriesOnly': 'Das Gateway befördert nur {carried}. Alles andere in {prefixes} wird verworfen.',
  'tunnel.serversOutside': 'Nameserver, die nicht gefragt werden, weil der Tunnel nicht zu ihnen führt: {servers}.',
  'tunnel.serversUnknown':
    'Alles geht durch den Tunnel, aber kein Nameserver dahinter ist bekannt: Namen werden weiterhin außerhalb aufgelöst. Setzen Sie dns.servers im Profil.',
  'tunnel.namesFailed': 'Namen werden NICHT durch den Tunnel aufgelöst. {error} {remedy}',
  'tunnel.manyNetworks':
    'Hinter dem Gateway liegen {networks} Netze, und nur {most} werden einzeln geprüft: Aus dem Tunnel werden Pakete von jeder Adresse angenommen.',
  'tunnel.nothingRouted': 'Kein Netz geht durch den Tunnel, außer seinem eigenen.',
  'tunnel.weak': 'Schwach: Das Gateway hat {protocol} {proposal} gewählt. Darin steckt {weakness}',
  'tunnel.weakUnknown': 'Ob {protocol} {proposal}, vom Gateway gewählt, schwach ist, ist nicht bekannt.',
  'weakness.sha1': 'SHA-1, das es nur noch für alte Gateways gibt. Verlangen Sie sha256 auf dem Gateway.',
  'weakness.modp1024':
    'MODP-1024 (Gruppe 2), das eine Behörde brechen kann und vielleicht andere. Verlangen Sie ecp256 oder modp2048 (Gruppe 14) auf dem Gateway.',
  'weakness.modp1536':
    'MODP-1536 (Gruppe 5), das heute als zu kurz gilt. Verlangen Sie ecp256 oder modp2048 (Gruppe 14) auf dem Gateway.',
};
