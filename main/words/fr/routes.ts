import type { routes as en } from '../en/routes.ts';
import type { Translated } from '../message.ts';

export const routes: Translated<typeof en> = {
  'error.routes/empty': 'Il manque un réseau.',
  'error.routes/empty.remedy': 'Écrivez par exemple 10.0.0.0/8, 192.0.2.7 ou 2001:db8::/32.',
  'error.routes/syntax': 'Ce n’est ni un réseau ni une adresse.',
  'error.routes/syntax.remedy': 'Écrivez par exemple 10.0.0.0/8, 192.0.2.7 ou 2001:db8::/32.',
  'error.routes/not-a-network': 'C’est une adresse dans un réseau.',
  'error.routes/not-a-network.remedy': 'Le réseau est {meant} ; cette adresse seule est {alone}.',
  'error.routes/everything': 'C’est la totalité du trafic.',
  'error.routes/everything.remedy': 'Choisissez plus haut si tout passe par le tunnel.',
  'error.routes/duplicate': 'C’est déjà dans la liste.',
  'error.routes/duplicate.remedy': 'Il n’y a rien à ajouter.',
  'error.routes/conflict': 'C’est déjà dans l’autre liste.',
  'error.routes/conflict.remedy': 'Modifiez-le là, ou choisissez un réseau plus petit.',
  'error.routes/too-many': 'La liste est pleine : {most} réseaux.',
  'error.routes/too-many.remedy': 'Regroupez-en quelques-uns.',
  'error.routes/covers-gateway': 'La passerelle elle-même ({gateway}) en fait partie.',
  'error.routes/covers-gateway.remedy':
    'Le tunnel trouve quand même son chemin ; le reste du trafic vers elle passe par le tunnel.',
  'error.routes/no-effect': 'Aucun réseau passant par le tunnel ne le couvre : cela va en direct de toute façon.',
  'error.routes/no-effect.remedy': 'Vous pouvez le laisser.',
  'error.routes/covered': '{covers} le couvre déjà.',
  'error.routes/covered.remedy': 'Vous pouvez le laisser.',
  'error.routes/not-found': 'La route {prefix} n’existe plus.',
  'error.routes/not-found.remedy':
    'Quelqu’un d’autre l’a peut-être supprimée. Ce qui vient de la passerelle ou du réseau local ne peut pas être supprimé.',
  'error.routes/target': '« {target} » n’est ni une adresse ni un nom.',
  'error.routes/target.remedy': 'Écrivez par exemple 10.1.2.3 ou intranet.example.com.',
  'error.routes/unresolved': 'Le nom {target} ne peut pas être résolu.',
  'error.routes/unresolved.remedy':
    'Vérifiez l’orthographe. Pour un nom interne à l’entreprise, le tunnel doit peut-être être établi.',
  'error.routes/no-profile': 'Il n’y a pas de connexion dont on puisse voir les routes.',
  'error.routes/no-profile.remedy': 'Connectez-vous, ou choisissez un profil.',

  'route.own': 'C’est dans le réseau du tunnel lui-même, {prefix}.',
  'route.uncovered': 'Aucune route du tunnel ne le couvre : cela va comme sans VPN.',
  'route.included': '{prefix} passe par le tunnel.',
  'route.noFamily': '{prefix} devrait passer par le tunnel, qui n’a pas d’adresse de cette famille : c’est refusé.',
  'route.attached': '{prefix} est un réseau auquel cet ordinateur est relié.',
  'route.excluded': '{prefix} est exclu du tunnel.',
};
