import type { path as en } from '../en/path.ts';
import type { Translated } from '../message.ts';

export const path: Translated<typeof en> = {
  'path.fits': 'Les paquets de {path} octets arrivent, comme le tunnel le suppose. Il n’y a rien à changer.',
  'path.smaller':
    'Seuls les paquets jusqu’à {path} octets arrivent ; le tunnel suppose {assumed}. Les plus grands sont perdus : téléchargements et certaines pages se bloquent. Utilisez la valeur mesurée.',
  'path.larger':
    'Les paquets jusqu’à {path} octets arrivent ; le tunnel suppose {assumed}. Cela fonctionne ; avec la valeur mesurée, c’est un peu plus rapide.',
  'path.none':
    'Aucun paquet de test n’est revenu. La passerelle n’y répond peut-être pas, ou le réseau les perd ; demandez à votre administrateur, ou essayez un autre réseau.',
};
