import type { Translated } from '../../../main/words/message.ts';
import type { settings as en } from '../en/settings.ts';

export const settings: Translated<typeof en> = {
  'settings.title': 'Réglages',
  'settings.appearance': 'Apparence',
  'settings.theme': 'Thème',
  'settings.theme.system': 'Comme le système',
  'settings.theme.light': 'Clair',
  'settings.theme.dark': 'Sombre',
  'settings.language': 'Langue',
  'settings.language.system': 'Comme le système ({language})',
  'settings.start': 'Démarrage',
  'settings.startAtLogin': 'Lancer Culvert à l’ouverture de session',
  'settings.startAtLogin.text': 'Il attend dans la zone de notification.',
  'settings.connectAtStart': 'Connecter au démarrage',
  'settings.connectAtStart.none': 'Ne pas connecter',
  'settings.connectAtStart.gone': '{profile} (supprimé)',
  'settings.auto': 'Connexion automatique',
  'settings.auto.enabled': 'Connecter sur les réseaux non fiables',
  'settings.auto.text':
    'Dès que cet ordinateur rejoint un réseau absent de la liste, le tunnel est établi. Là où vous vous déconnectez vous-même, il reste coupé sur ce réseau.',
  'settings.auto.profile': 'Profil',
  'settings.auto.noProfile': 'Choisissez un profil : sans lui, rien n’est connecté.',
  'settings.auto.pick': 'Choisir un profil',
  'settings.network': 'Ce réseau',
  'settings.network.offline': 'Aucun réseau',
  'settings.network.wired': 'Câble, routeur {gateway}',
  'settings.network.unknown': 'Réseau inconnu',
  'settings.network.trusted': 'De confiance',
  'settings.network.untrusted': 'Non fiable',
  'settings.network.trust': 'Faire confiance à ce réseau',
  'settings.network.unproven':
    'Ce Wi-Fi ne demande aucune clé : n’importe qui peut en ouvrir un du même nom. Il est considéré comme non fiable, dans la liste ou non.',
  'settings.network.name-hidden':
    'Le système cache à Culvert le nom de ce Wi-Fi : macOS 14 et Windows 11 ne le donnent qu’aux programmes autorisés à connaître la position. Les réseaux inconnus sont considérés comme non fiables.',
  'settings.network.no-identity':
    'Son routeur n’a pas d’adresse matérielle propre : ce réseau ne se distingue pas des autres. Les réseaux inconnus sont considérés comme non fiables.',
  'settings.network.other-kind':
    'Réseau mobile ou autre tunnel : il ne se distingue pas des autres. Les réseaux inconnus sont considérés comme non fiables.',
  'settings.network.not-readable':
    'Rien sur cet ordinateur ne dit de quel réseau il s’agit. Les réseaux inconnus sont considérés comme non fiables.',
  'settings.trusted.rule':
    'Un Wi-Fi est reconnu à son nom, et n’est de confiance que s’il demande une clé (WPA). Un réseau câblé est reconnu à son routeur. Tout réseau qui ne se distingue pas des autres est considéré comme non fiable.',
  'settings.trusted': 'Réseaux de confiance',
  'settings.trusted.none': 'Aucun : chaque réseau est considéré comme non fiable.',
  'settings.trusted.add': 'Nom d’un réseau (nom Wi-Fi)',
  'settings.trusted.addButton': 'Ajouter',
  'settings.trusted.remove': 'Supprimer {network}',
  'settings.trusted.known': 'Ce réseau est déjà dans la liste.',
  'settings.trusted.full': 'La liste est pleine : 100 réseaux.',
  'settings.shellOnly':
    'Seule l’application de bureau le peut : elle démarre avec l’ordinateur et voit quand le réseau change. Une page dans un navigateur ne le peut pas. Ouvrez l’application de bureau pour le modifier.',
  'settings.about': 'À propos',
  'settings.version': 'Version du moteur',
  'settings.role': 'Vos droits',
  'settings.role.user': 'Utilisateur : peut connecter et modifier ce qui n’est pas verrouillé',
  'settings.role.administrator': 'Administrateur : peut aussi modifier ce qui est verrouillé',
  'settings.place': 'Cette fenêtre',
  'settings.place.shell': 'Application de bureau',
  'settings.place.browser': 'Navigateur',
};
