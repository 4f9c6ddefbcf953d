import type { Translated } from '../../../main/words/message.ts';
import type { settings as en } from '../en/settings.ts';

export const settings: Translated<typeof en> = {
  'settings.title': 'Einstellungen',
  'settings.appearance': 'Darstellung',
  'settings.theme': 'Farbschema',
  'settings.theme.system': 'Wie das System',
  'settings.theme.light': 'Hell',
  'settings.theme.dark': 'Dunkel',
  'settings.language': 'Sprache',
  'settings.language.system': 'Wie das System ({language})',
  'settings.start': 'Start',
  'settings.startAtLogin': 'Culvert bei der Anmeldung starten',
  'settings.startAtLogin.text': 'Es wartet im Infobereich.',
  'settings.connectAtStart': 'Beim Start verbinden',
  'settings.connectAtStart.none': 'Nicht verbinden',
  'settings.connectAtStart.gone': '{profile} (entfernt)',
  'settings.auto': 'Automatische Verbindung',
  'settings.auto.enabled': 'In Netzen verbinden, denen ich nicht vertraue',
  'settings.auto.text':
    'Sobald dieser Computer in ein Netz kommt, das unten nicht aufgeführt ist, wird der Tunnel aufgebaut. Wo Sie selbst trennen, bleibt er in diesem Netz aus.',
  'settings.auto.profile': 'Profil',
  'settings.auto.noProfile': 'Wählen Sie ein Profil: Ohne eines wird nichts verbunden.',
  'settings.auto.pick': 'Profil wählen',
  'settings.network': 'Dieses Netz',
  'settings.network.offline': 'Kein Netz',
  'settings.network.wired': 'Kabel, Router {gateway}',
  'settings.network.unknown': 'Unbekanntes Netz',
  'settings.network.trusted': 'Vertrauenswürdig',
  'settings.network.untrusted': 'Nicht vertrauenswürdig',
  'settings.network.trust': 'Diesem Netz vertrauen',
  'settings.network.unproven':
    'Dieses WLAN verlangt keinen Schlüssel: Jeder kann eines mit demselben Namen aufmachen. Es gilt als nicht vertrauenswürdig, ob aufgeführt oder nicht.',
  'settings.network.name-hidden':
    'Das System verschweigt Culvert den Namen dieses WLANs: macOS 14 und Windows 11 nennen ihn nur Programmen, die den Standort wissen dürfen. Unbekannte Netze gelten als nicht vertrauenswürdig.',
  'settings.network.no-identity':
    'Sein Router hat keine eigene Hardware-Adresse; das Netz ist von anderen nicht zu unterscheiden. Unbekannte Netze gelten als nicht vertrauenswürdig.',
  'settings.network.other-kind':
    'Mobilfunk oder ein anderer Tunnel: von anderen nicht zu unterscheiden. Unbekannte Netze gelten als nicht vertrauenswürdig.',
  'settings.network.not-readable':
    'Nichts auf diesem Computer sagt, welches Netz das ist. Unbekannte Netze gelten als nicht vertrauenswürdig.',
  'settings.trusted.rule':
    'Ein WLAN wird an seinem Namen erkannt, und ihm wird nur vertraut, wenn es einen Schlüssel verlangt (WPA). Ein Kabelnetz wird an seinem Router erkannt. Jedes Netz, das von anderen nicht zu unterscheiden ist, gilt als nicht vertrauenswürdig.',
  'settings.trusted': 'Vertrauenswürdige Netze',
  'settings.trusted.none': 'Keine: Jedes Netz gilt als nicht vertrauenswürdig.',
  'settings.trusted.add': 'Name eines Netzes (WLAN-Name)',
  'settings.trusted.addButton': 'Hinzufügen',
  'settings.trusted.remove': '{network} entfernen',
  'settings.trusted.known': 'Dieses Netz ist schon aufgeführt.',
  'settings.trusted.full': 'Die Liste ist voll: 100 Netze.',
  'settings.shellOnly':
    'Nur die Desktop-App kann das: Sie startet mit dem Computer und merkt, wenn das Netz wechselt. Eine Seite im Browser kann es nicht. Öffnen Sie die Desktop-App, um es zu ändern.',
  'settings.about': 'Über Culvert',
  'settings.version': 'Version der Engine',
  'settings.role': 'Ihre Rechte',
  'settings.role.user': 'Benutzer: darf verbinden und ändern, was nicht gesperrt ist',
  'settings.role.administrator': 'Administrator: darf auch Gesperrtes ändern',
  'settings.place': 'Dieses Fenster',
  'settings.place.shell': 'Desktop-App',
  'settings.place.browser': 'Im Browser',
};
