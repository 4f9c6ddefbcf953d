import type { tunnel as en } from '../en/tunnel.ts';
import type { Translated } from '../message.ts';

export const tunnel: Translated<typeof en> = {
  'tunnel.plain': 'Ce tunnel est du GRE nu : RIEN N’EST CHIFFRÉ NI AUTHENTIFIÉ. Ne l’utilisez qu’en laboratoire.',
  'tunnel.ipv6Off': 'IPv6 est coupé dans le tunnel : il lui faut une MTU d’au moins 1280, et celle-ci est de {mtu}.',
  'tunnel.mtuTooLarge':
    'La MTU est fixée à {value}, mais seulement {computed} tiennent dans un chemin de {path} : les paquets plus grands sont découpés ou perdus.',
  'tunnel.noFamily': 'Bloqué, car le tunnel n’a pas d’adresse de cette famille : {prefixes}.',
  'tunnel.carriesOnly': 'La passerelle ne transporte que {carried}. Le reste de {prefixes} est rejeté.',
  'tunnel.serversOutside': 'Serveurs de noms non interrogés, car le tunnel ne mène pas à eux : {servers}.',
  'tunnel.serversUnknown':
    'Tout passe par le tunnel, mais aucun serveur de noms n’est connu derrière lui : les noms sont encore résolus au-dehors. Définissez dns.servers dans le profil.',
  'tunnel.namesFailed': 'Les noms ne sont PAS résolus à travers le tunnel. {error} {remedy}',
  'tunnel.manyNetworks':
    'Il y a {networks} réseaux derrière la passerelle, et seuls {most} sont vérifiés un par un : les paquets sortant du tunnel sont acceptés de toute adresse.',
  'tunnel.nothingRouted': 'Aucun réseau ne passe par le tunnel, hormis le sien.',
  'tunnel.weak': 'Faible : la passerelle a choisi {protocol} {proposal}. On y trouve {weakness}',
  'tunnel.weakUnknown': 'On ne sait pas si {protocol} {proposal}, choisi par la passerelle, est faible.',
  'weakness.sha1': 'SHA-1, conservé seulement pour d’anciennes passerelles. Demandez sha256 sur la passerelle.',
  'weakness.modp1024':
    'MODP-1024 (groupe 2), qu’une agence peut casser, et peut-être d’autres. Demandez ecp256 ou modp2048 (groupe 14) sur la passerelle.',
  'weakness.modp1536':
    'MODP-1536 (groupe 5), trop court aujourd’hui. Demandez ecp256 ou modp2048 (groupe 14) sur la passerelle.',
};
