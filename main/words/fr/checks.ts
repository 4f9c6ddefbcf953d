import type { checks as en } from '../en/checks.ts';
import type { Translated } from '../message.ts';

export const checks: Translated<typeof en> = {
  'check.title.connection': 'Connexion',
  'check.title.tun': 'Interface réseau du tunnel',
  'check.title.clock': 'Horloge',
  'check.title.dns': 'Nom de la passerelle',
  'check.title.gateway-reachable': 'Chemin vers la passerelle',
  'check.title.traffic': 'Trafic venant de la passerelle',
  'check.title.mtu-black-hole': 'Grands paquets',
  'check.title.drops': 'Paquets rejetés',

  'check.connection.up': 'Connecté avec « {profile} ».',
  'check.connection.connecting': 'Connexion avec « {profile} » en cours.',
  'check.connection.disconnecting': 'Déconnexion de « {profile} » en cours.',
  'check.connection.ended': 'Non connecté. Fin de la dernière connexion : {error}',
  'check.notConnected': 'Non connecté.',

  'check.tun.good': 'Des périphériques TUN peuvent être créés.',
  'check.tun.bad': '/dev/net/tun est inutilisable ({error}).',
  'check.tun.noModule': 'Le module « tun » du noyau n’est pas chargé, ou un conteneur le cache.',
  'check.tun.noModule.remedy': 'Chargez-le : sudo modprobe tun',
  'check.tun.noRights': 'Le moteur ne s’exécute pas en tant que root.',
  'check.tun.noRights.remedy': 'Démarrez le moteur en tant que root, ou donnez-lui CAP_NET_ADMIN.',

  'check.clock.good': 'Il est {time}.',
  'check.clock.wrong': 'Cet ordinateur croit qu’il est {time}.',
  'check.clock.cause': 'Sa pile est vide, ou il n’a pas encore joint de serveur de temps.',
  'check.clock.remedy': 'Réglez la date et l’heure : les certificats sont jugés d’après elles.',

  'check.dns.noProfile': 'Il n’y a pas de profil à examiner.',
  'check.dns.found': '{host} est {addresses}.',
  'check.dns.failed': '{host} ne peut pas être résolu ({error}).',
  'check.dns.late': '{host} ne peut pas être résolu : aucun serveur de noms n’a répondu à temps.',
  'check.dns.empty': '{host} n’a pas d’adresse.',
  'check.dns.cause':
    'Cet ordinateur est hors ligne, son serveur de noms ne répond pas, ou le nom est mal orthographié.',
  'check.dns.remedy':
    'Vérifiez le réseau, et gateway.host dans le profil. Dans un hôtel ou un café, il faut souvent d’abord accepter des conditions dans un navigateur.',

  'check.reach.connected': 'La passerelle répond.',
  'check.reach.notAsked': 'Pas interrogée en ce moment.',
  'check.reach.all': 'Elle répond en UDP {answered}.',
  'check.reach.some': 'Elle répond en UDP {answered}, mais pas en UDP {silent}.',
  'check.reach.none': 'Elle ne répond pas en UDP {silent}.',
  'check.reach.some.cause': 'Un pare-feu en chemin bloque UDP {silent}.',
  'check.reach.some.remedy':
    'Les deux ports sont nécessaires, 4500 aussi pour le trafic lui-même : essayez un autre réseau, ou demandez à son administrateur.',
  'check.reach.refused': 'L’ordinateur à cette adresse signale qu’aucun service n’y écoute.',
  'check.reach.refused.remedy':
    'Vérifiez l’adresse dans le profil et, sur la passerelle, que son service IPsec est en marche.',
  'check.reach.silent':
    'La passerelle est en panne, son adresse est fausse, ou un pare-feu en chemin bloque UDP 500 et 4500.',
  'check.reach.silent.remedy':
    'Essayez un autre réseau, par exemple celui d’un téléphone. Si cela marche là, ce réseau bloque les VPN.',

  'check.traffic.good': 'Paquets reçus : {received} ; envoyés : {sent}.',
  'check.traffic.silent': 'Paquets envoyés dans le tunnel : {sent}. Aucun n’est revenu.',
  'check.traffic.silent.cause':
    'La passerelle n’a pas de chemin de retour vers votre adresse dans le tunnel, sa clé ou ses adresses GRE diffèrent du profil, ou un pare-feu en chemin rejette ESP.',
  'check.traffic.silent.remedy':
    'Voyez les paquets rejetés ci-dessous. Si l’encapsulation est « auto », essayez « udp » ; sinon, envoyez le rapport à l’administrateur de la passerelle.',

  'check.mtu.good': 'Rien ne s’oppose à une MTU de {mtu}.',
  'check.mtu.narrow': 'Les paquets de plus de {works} octets se perdent en chemin ; le tunnel suppose {assumed}.',
  'check.mtu.narrow.cause': 'Une liaison en chemin est plus étroite, et le routeur qui la précède ne le signale pas.',
  'check.mtu.narrow.remedy': 'Utilisez le résultat du test du chemin, à la page MTU.',
  'check.mtu.fixed': 'La MTU du tunnel est fixée à {value}, mais seulement {computed} tiennent.',
  'check.mtu.fixed.cause': 'Elle a été fixée par le profil ou à la main.',
  'check.mtu.fixed.remedy': 'Mettez la MTU sur automatique.',
  'check.mtu.oneWay': 'De grands paquets partent, et presque rien ne revient.',
  'check.mtu.oneWay.cause': 'Ils sont peut-être trop grands pour une liaison en chemin qui ne le signale pas.',
  'check.mtu.oneWay.remedy': 'Testez le chemin à la page MTU.',

  'check.drops.none': 'Aucun.',
  'check.drops.some': '{dropped} paquets sur {all}. Le plus souvent ({most}) : {reason}.',
  'check.drops.gre':
    'Les réglages GRE du profil et de la passerelle diffèrent (clé, somme de contrôle, numéros de séquence).',
  'check.drops.replay': 'Le réseau mélange les paquets plus que la fenêtre anti-rejeu ne le permet, ou les répète.',
  'check.drops.foreign': 'Des paquets d’une autre connexion arrivent ici, ou des paquets sont abîmés en chemin.',
  'check.drops.addresses': 'La passerelle envoie des paquets de réseaux que le profil ne route pas.',
  'check.drops.other': 'Les raisons figurent sous les paquets rejetés.',
  'check.drops.remedy': 'Envoyez le rapport à l’administrateur de la passerelle.',
};
