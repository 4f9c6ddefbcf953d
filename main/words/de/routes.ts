import type { routes as en } from '../en/routes.ts';
import type { Translated } from '../message.ts';

export const routes: Translated<typeof en> = {
  'error.routes/empty': 'Ein Netz fehlt.',
  'error.routes/empty.remedy': 'Schreiben Sie zum Beispiel 10.0.0.0/8, 192.0.2.7 oder 2001:db8::/32.',
  'error.routes/syntax': 'Das ist weder ein Netz noch eine Adresse.',
  'error.routes/syntax.remedy': 'Schreiben Sie zum Beispiel 10.0.0.0/8, 192.0.2.7 oder 2001:db8::/32.',
  'error.routes/not-a-network': 'Das ist eine Adresse in einem Netz.',
  'error.routes/not-a-network.remedy': 'Das Netz ist {meant}; diese Adresse allein ist {alone}.',
  'error.routes/everything': 'Das ist alles.',
  'error.routes/everything.remedy': 'Wählen Sie oben, ob alles durch den Tunnel geht.',
  'error.routes/duplicate': 'Das steht schon in der Liste.',
  'error.routes/duplicate.remedy': 'Es muss nicht hinzugefügt werden.',
  'error.routes/conflict': 'Das steht schon in der anderen Liste.',
  'error.routes/conflict.remedy': 'Ändern Sie es dort, oder wählen Sie ein kleineres Netz.',
  'error.routes/too-many': 'Die Liste ist voll: {most} Netze.',
  'error.routes/too-many.remedy': 'Fassen Sie einige zusammen.',
  'error.routes/covers-gateway': 'Das Gateway selbst ({gateway}) liegt darin.',
  'error.routes/covers-gateway.remedy':
    'Der Tunnel findet seinen Weg trotzdem; anderer Verkehr zum Gateway geht durch den Tunnel.',
  'error.routes/no-effect': 'Kein Netz, das durch den Tunnel geht, umfasst dies: Es geht ohnehin direkt.',
  'error.routes/no-effect.remedy': 'Es kann so bleiben.',
  'error.routes/covered': '{covers} umfasst dies schon.',
  'error.routes/covered.remedy': 'Es kann so bleiben.',
  'error.routes/not-found': 'Die Route {prefix} gibt es nicht mehr.',
  'error.routes/not-found.remedy':
    'Vielleicht hat sie jemand anders entfernt. Was vom Gateway oder vom lokalen Netz kommt, lässt sich nicht entfernen.',
  'error.routes/target': '„{target}“ ist weder eine Adresse noch ein Name.',
  'error.routes/target.remedy': 'Schreiben Sie zum Beispiel 10.1.2.3 oder intranet.example.com.',
  'error.routes/unresolved': 'Der Name {target} lässt sich nicht auflösen.',
  'error.routes/unresolved.remedy':
    'Prüfen Sie die Schreibweise. Für einen Namen innerhalb der Firma muss vielleicht der Tunnel bestehen.',
  'error.routes/no-profile': 'Es gibt keine Verbindung, deren Routen sich ansehen ließen.',
  'error.routes/no-profile.remedy': 'Verbinden Sie sich, oder wählen Sie ein Profil.',

  'route.own': 'Es liegt im eigenen Netz des Tunnels, {prefix}.',
  'route.uncovered': 'Keine Route des Tunnels umfasst es: Es geht wie ohne VPN.',
  'route.included': '{prefix} geht durch den Tunnel.',
  'route.noFamily': '{prefix} soll durch den Tunnel gehen, der keine Adresse dieser Familie hat: Es wird abgewiesen.',
  'route.attached': '{prefix} ist ein Netz, an das dieser Computer angeschlossen ist.',
  'route.excluded': '{prefix} ist vom Tunnel ausgenommen.',
};
