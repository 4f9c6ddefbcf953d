import type { checks as en } from '../en/checks.ts';
import type { Translated } from '../message.ts';

export const checks: Translated<typeof en> = {
  'check.title.connection': 'Verbindung',
  'check.title.tun': 'Netzschnittstelle des Tunnels',
  'check.title.clock': 'Uhr',
  'check.title.dns': 'Name des Gateways',
  'check.title.gateway-reachable': 'Weg zum Gateway',
  'check.title.traffic': 'Datenverkehr vom Gateway',
  'check.title.mtu-black-hole': 'Große Pakete',
  'check.title.drops': 'Verworfene Pakete',

  'check.connection.up': 'Mit „{profile}“ verbunden.',
  'check.connection.connecting': 'Verbindung mit „{profile}“ wird aufgebaut.',
  'check.connection.disconnecting': 'Verbindung mit „{profile}“ wird getrennt.',
  'check.connection.ended': 'Nicht verbunden. So endete die letzte Verbindung: {error}',
  'check.notConnected': 'Nicht verbunden.',

  'check.tun.good': 'TUN-Geräte lassen sich anlegen.',
  'check.tun.bad': '/dev/net/tun ist nicht verwendbar ({error}).',
  'check.tun.noModule': 'Das Kernelmodul „tun“ ist nicht geladen, oder ein Container verbirgt es.',
  'check.tun.noModule.remedy': 'Laden Sie es: sudo modprobe tun',
  'check.tun.noRights': 'Die Engine läuft nicht als root.',
  'check.tun.noRights.remedy': 'Starten Sie die Engine als root, oder geben Sie ihr CAP_NET_ADMIN.',

  'check.clock.good': 'Es ist {time}.',
  'check.clock.wrong': 'Auf diesem Computer ist es {time}.',
  'check.clock.cause': 'Seine Batterie ist leer, oder er hat noch keinen Zeitserver erreicht.',
  'check.clock.remedy': 'Stellen Sie Datum und Uhrzeit: Zertifikate werden danach beurteilt.',

  'check.dns.noProfile': 'Es gibt kein Profil, das geprüft werden könnte.',
  'check.dns.found': '{host} ist {addresses}.',
  'check.dns.failed': '{host} lässt sich nicht auflösen ({error}).',
  'check.dns.late': '{host} lässt sich nicht auflösen: Kein Nameserver hat rechtzeitig geantwortet.',
  'check.dns.empty': '{host} hat keine Adresse.',
  'check.dns.cause':
    'Dieser Computer ist offline, sein Nameserver antwortet nicht, oder der Name ist falsch geschrieben.',
  'check.dns.remedy':
    'Prüfen Sie das Netz und gateway.host im Profil. In Hotels und Cafés müssen Sie oft zuerst im Browser die Bedingungen annehmen.',

  'check.reach.connected': 'Das Gateway antwortet.',
  'check.reach.notAsked': 'Zurzeit nicht gefragt.',
  'check.reach.all': 'Es antwortet auf UDP {answered}.',
  'check.reach.some': 'Es antwortet auf UDP {answered}, aber nicht auf UDP {silent}.',
  'check.reach.none': 'Es antwortet nicht auf UDP {silent}.',
  'check.reach.some.cause': 'Eine Firewall auf dem Weg sperrt UDP {silent}.',
  'check.reach.some.remedy':
    'Beide Ports werden gebraucht, 4500 auch für die Daten selbst: Versuchen Sie ein anderes Netz, oder fragen Sie dessen Administrator.',
  'check.reach.refused': 'Der Computer an dieser Adresse meldet, dass dort kein Dienst läuft.',
  'check.reach.refused.remedy': 'Prüfen Sie die Adresse im Profil, und auf dem Gateway, ob sein IPsec-Dienst läuft.',
  'check.reach.silent':
    'Das Gateway ist außer Betrieb, seine Adresse ist falsch, oder eine Firewall auf dem Weg sperrt UDP 500 und 4500.',
  'check.reach.silent.remedy':
    'Versuchen Sie ein anderes Netz, etwa das eines Mobiltelefons. Geht es dort, sperrt dieses Netz VPNs.',

  'check.traffic.good': 'Empfangene Pakete: {received}, gesendete: {sent}.',
  'check.traffic.silent': 'In den Tunnel gesendete Pakete: {sent}. Keines kam zurück.',
  'check.traffic.silent.cause':
    'Das Gateway hat keinen Rückweg zu Ihrer Tunneladresse, sein GRE-Schlüssel oder seine Adressen weichen vom Profil ab, oder eine Firewall auf dem Weg verwirft ESP.',
  'check.traffic.silent.remedy':
    'Sehen Sie sich unten die verworfenen Pakete an. Ist die Kapselung „auto“, versuchen Sie „udp“; sonst senden Sie den Bericht dem Administrator des Gateways.',

  'check.mtu.good': 'Nichts spricht gegen eine MTU von {mtu}.',
  'check.mtu.narrow': 'Pakete über {works} Byte gehen unterwegs verloren; der Tunnel geht von {assumed} aus.',
  'check.mtu.narrow.cause': 'Eine Leitung auf dem Weg ist schmaler, und der Router davor meldet es nicht.',
  'check.mtu.narrow.remedy': 'Übernehmen Sie das Ergebnis des Pfadtests auf der Seite MTU.',
  'check.mtu.fixed': 'Die MTU des Tunnels ist auf {value} festgelegt, aber nur {computed} passen.',
  'check.mtu.fixed.cause': 'Das Profil oder jemand von Hand hat sie festgelegt.',
  'check.mtu.fixed.remedy': 'Stellen Sie die MTU auf automatisch.',
  'check.mtu.oneWay': 'Große Pakete gehen hinaus, und kaum etwas kommt zurück.',
  'check.mtu.oneWay.cause': 'Vielleicht sind sie zu groß für eine Leitung auf dem Weg, die das nicht meldet.',
  'check.mtu.oneWay.remedy': 'Testen Sie den Pfad auf der Seite MTU.',

  'check.drops.none': 'Keine.',
  'check.drops.some': '{dropped} von {all} Paketen. Am häufigsten ({most}): {reason}.',
  'check.drops.gre':
    'Die GRE-Einstellungen von Profil und Gateway stimmen nicht überein (Schlüssel, Prüfsumme, Sequenznummern).',
  'check.drops.replay':
    'Das Netz vertauscht Pakete stärker, als das Wiederholungsfenster zulässt, oder verdoppelt sie.',
  'check.drops.foreign': 'Hier kommen Pakete einer anderen Verbindung an, oder Pakete werden unterwegs beschädigt.',
  'check.drops.addresses': 'Das Gateway sendet Pakete aus Netzen, für die das Profil keine Route hat.',
  'check.drops.other': 'Die Gründe stehen unter den verworfenen Paketen.',
  'check.drops.remedy': 'Senden Sie den Bericht dem Administrator des Gateways.',
};
