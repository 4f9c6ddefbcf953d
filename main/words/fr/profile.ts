import type { profile as en } from '../en/profile.ts';
import type { Translated } from '../message.ts';

export const profile: Translated<typeof en> = {
  'profile.plain':
    'PAS DE CHIFFREMENT : avec la forme « gre-plain », n’importe qui en chemin peut tout lire et tout modifier. Pour les laboratoires seulement.',
  'profile.noEffectPlain': '{place} est sans effet : le GRE nu n’authentifie personne et ne négocie rien.',
  'profile.noEffectShape': '{place} est sans effet avec la forme « {shape} ».',
  'profile.mobikeShape':
    '{place} est sans effet avec la forme « {shape} » : sur un autre réseau, le tunnel est refait.',
  'profile.greSequence':
    '{place} est activé : une passerelle dont le tunnel est resté en place rejette les numéros qui paraissent anciens (RFC 2890 §2.2). Ils continuent après une reconnexion ou un redémarrage du moteur, mais reprennent à 0 après une réinstallation. N’activez cela que si la passerelle l’exige.',
  'profile.legacySignatures':
    '/gateway/authentication/legacy est activé : les signatures SHA-1 et les clés RSA courtes sont acceptées.',
  'profile.noRevocation': '/gateway/authentication/revocation vaut « off » : un certificat volé reste valable.',
  'profile.password': 'Le profil contient un mot de passe : quiconque a le fichier a le mot de passe.',
  'profile.repeats': '{place} répète {prefix}.',
  'profile.excludeContains': '{place} ({prefix}) contient un réseau inclus : le plus précis des deux l’emporte.',
  'profile.excludeNoEffect': '{place} ({prefix}) est sans effet : aucun réseau inclus ne le couvre.',
  'profile.nothingRouted': 'Aucun réseau ne passe par le tunnel : définissez /routes/include ou /routes/fromGateway.',
  'profile.weak': '{place} (« {proposal} ») autorise {weakness}',
  'profile.stillWeak':
    'FAIBLE : {place} (« {proposal} ») autorise {weakness} C’est encore utilisé parce que le profil a été importé avant que cela ne soit refusé. Si la passerelle ne peut pas être modifiée, importez-le de nouveau avec « legacy » dans /proposals/policy.',
  'profile.legacy': '/proposals/policy « legacy » autorise, pour {protocol}, {weakness}',
  'profile.mtuTooLarge':
    '{place} vaut {value}, mais au plus {most} tiennent : les paquets plus grands sont découpés ou perdus.',
  'profile.noIpv6': 'Une MTU de {mtu} est inférieure à 1280 : il n’y aura pas d’IPv6 dans le tunnel.',
  'profile.mssTooLarge':
    '{place} vaut {mss}, mais seulement {most} tiennent dans la MTU de {mtu} : la valeur la plus basse est utilisée.',
  'profile.shortSecret':
    'La clé partagée ne fait que {bytes} octets : quiconque se fait passer une fois pour la passerelle peut ensuite la deviner à loisir. Demandez-en une d’au moins {least} caractères aléatoires.',
  'profile.fileOpen':
    '{path} contient un secret, et d’autres utilisateurs peuvent le lire (mode {mode}). Protégez-le : chmod 600',
  'profile.secretFileOpen':
    'D’autres utilisateurs peuvent lire le fichier secret {path} (mode {mode}). Protégez-le : chmod 600',

  'mistake.syntax': '{place} : ce n’est pas du JSON. {hint}',
  'mistake.version': '{place} : fait pour une autre version de Culvert. {hint}',
  'mistake.unknown-key': '{place} : cette clé n’existe pas. {hint}',
  'mistake.missing': '{place} : manque. {hint}',
  'mistake.invalid': '{place} : cette valeur n’est pas admise. {hint}',
  'mistake.conflict': '{place} : ne va pas avec le reste. {hint}',
  'mistake.secret': '{place} : ce secret, ce certificat ou cette clé est inutilisable. {hint}',
  'mistake.meant': 'Vouliez-vous dire {meant} ?',
  'mistake.example': 'Exemple : {example}',
};
