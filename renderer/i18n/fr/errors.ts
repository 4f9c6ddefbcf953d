import type { errors as en } from '../en/errors.ts';
import type { Translated } from '../message.ts';

export const errors: Translated<typeof en> = {
  'error.ipc/disconnected': 'Le moteur a disparu avant de répondre.',
  'error.ipc/disconnected.remedy':
    'Il est resollicité régulièrement. S’il ne revient pas, redémarrez-le ou consultez son journal.',
  'error.ipc/not-running': 'Le moteur n’est pas en marche.',
  'error.ipc/not-running.remedy': 'Démarrez-le ou redémarrez cet ordinateur.',
  'error.ipc/no-permission': 'Vous n’êtes pas autorisé à parler au moteur depuis cette fenêtre.',
  'error.ipc/no-permission.remedy':
    'Rouvrez l’interface avec « culvert ui » ou demandez l’accès à votre administrateur.',
  'error.ipc/not-allowed': 'Votre administrateur a verrouillé ceci.',
  'error.ipc/not-allowed.remedy': 'Demandez-lui de le modifier, ou faites-le en tant qu’administrateur.',
  'error.ipc/contract-version': 'Cette fenêtre et le moteur sont de versions différentes.',
  'error.ipc/contract-version.remedy':
    'Utilisez les deux installés ensemble ; après une mise à jour, redémarrez le moteur et rechargez cette fenêtre.',
  'error.ipc/busy': 'Le moteur a trop à faire à la fois.',
  'error.ipc/busy.remedy': 'Attendez un instant et réessayez.',
  'error.ipc/internal': 'Une erreur s’est produite dans Culvert.',
  'error.ipc/internal.remedy':
    'Réessayez. Si cela se reproduit, exportez un rapport sous Diagnostic et envoyez-le à votre administrateur.',
  'error.ike/no-response': 'La passerelle ne répond pas.',
  'error.ike/no-response.remedy':
    'Vérifiez que cet ordinateur est en ligne. Un pare-feu sur le chemin bloque peut-être UDP 500 et 4500 : essayez un autre réseau.',
  'error.ike/no-ike-proposal': 'La passerelle n’accepte aucune des suites de chiffrement du profil.',
  'error.ike/no-ike-proposal.remedy': 'Demandez à votre administrateur lesquelles elle accepte.',
  'error.ike/no-child-proposal': 'La passerelle n’accepte aucune des suites de chiffrement du profil pour les données.',
  'error.ike/no-child-proposal.remedy': 'Demandez à votre administrateur lesquelles elle accepte.',
  'error.ike/refused-by-peer': 'La passerelle a refusé l’authentification.',
  'error.ike/refused-by-peer.remedy':
    'Le secret ou votre identité est erroné, ou la passerelle ne vous connaît pas. Réimportez le profil ou consultez votre administrateur.',
  'error.ike/peer-not-authentic': 'La passerelle n’a pas pu prouver son identité.',
  'error.ike/peer-not-authentic.remedy':
    'Le secret diffère des deux côtés, ou quelqu’un se fait passer pour la passerelle. Rien n’a été envoyé. Consultez votre administrateur.',
  'error.ike/peer-identity-mismatch': 'La passerelle a prouvé une autre identité que celle du profil.',
  'error.ike/peer-identity-mismatch.remedy':
    'Vérifiez l’identité de la passerelle dans le profil, ou consultez votre administrateur.',
  'error.ike/traffic-selectors': 'La passerelle n’accepte pas les réseaux du profil.',
  'error.ike/traffic-selectors.remedy': 'Demandez à votre administrateur de comparer ses réseaux avec ceux du profil.',
  'error.eap/credentials-refused': 'La passerelle a refusé le nom d’utilisateur ou le mot de passe.',
  'error.eap/credentials-refused.remedy':
    'Vérifiez le nom d’utilisateur et saisissez de nouveau le mot de passe. Après plusieurs échecs, le compte peut être bloqué : adressez-vous alors à votre administrateur.',
  'error.eap/code-refused': 'La passerelle a refusé le code à usage unique.',
  'error.eap/code-refused.remedy':
    'Attendez un nouveau code et réessayez ; vérifiez que l’horloge de l’appareil qui l’affiche est juste.',
  'error.eap/password-expired': 'Le mot de passe a expiré.',
  'error.eap/password-expired.remedy':
    'Changez-le là où votre organisation le permet, puis connectez-vous avec le nouveau.',
  'error.eap/account-restricted': 'Le compte ne peut pas se connecter maintenant.',
  'error.eap/account-restricted.remedy': 'Adressez-vous à votre administrateur.',
  'error.eap/refused': 'La passerelle a refusé l’authentification.',
  'error.eap/refused.remedy': 'Vérifiez le nom d’utilisateur dans le profil ou adressez-vous à votre administrateur.',
  'error.eap/no-common-method': 'La passerelle exige une méthode d’authentification que le profil n’autorise pas.',
  'error.eap/no-common-method.remedy':
    'Demandez à votre administrateur de comparer les méthodes de la passerelle et du profil.',
  'error.eap/server-not-authentic': 'La passerelle n’a pas pu prouver qu’elle connaît le mot de passe.',
  'error.eap/server-not-authentic.remedy':
    'Quelqu’un se fait peut-être passer pour la passerelle. Ne saisissez plus le mot de passe avant que votre administrateur ait vérifié.',
  'error.eap/server-certificate':
    'Le certificat du serveur d’authentification n’a pas été accepté. Aucun mot de passe n’a été envoyé.',
  'error.eap/server-certificate.remedy':
    'Le profil désigne peut-être une autre autorité ou un autre serveur ; ou quelqu’un se fait passer pour la passerelle. Adressez-vous à votre administrateur.',
  'error.eap/client-certificate': 'La passerelle n’a pas accepté votre certificat.',
  'error.eap/client-certificate.remedy':
    'Il a peut-être expiré, ou la passerelle ne le connaît pas. Adressez-vous à votre administrateur.',
  'error.eap/prompt-cancelled': 'La question a été annulée.',
  'error.eap/prompt-cancelled.remedy': 'Connectez-vous de nouveau et répondez-y.',
  'error.eap/prompt-timed-out': 'Personne n’a répondu à temps à la question.',
  'error.eap/prompt-timed-out.remedy': 'Connectez-vous de nouveau quand vous aurez le mot de passe ou le code.',
  'error.session/gateway-did-not-wait': 'La passerelle n’a pas attendu votre réponse.',
  'error.session/gateway-did-not-wait.remedy':
    'Connectez-vous de nouveau en ayant le mot de passe ou le code sous la main : beaucoup de passerelles n’attendent qu’une demi-minute.',
  'error.daemon/no-prompt': 'Cette question n’est plus ouverte.',
  'error.daemon/no-prompt.remedy':
    'On y a répondu ailleurs, le délai est passé ou la connexion est terminée. Connectez-vous de nouveau.',
  'error.net/no-tun-device': 'Cet ordinateur ne peut pas créer de périphérique de tunnel.',
  'error.net/no-tun-device.remedy': 'Installez ou chargez le pilote TUN, ou consultez votre administrateur.',
  'error.session/worker-died': 'Une partie du moteur s’est arrêtée inopinément.',
  'error.session/worker-died.remedy':
    'Elle redémarre d’elle-même. Si cela se reproduit, exportez un rapport sous Diagnostic.',
  'error.session/timed-out': 'La connexion a pris trop de temps.',
  'error.session/timed-out.remedy':
    'Le réseau est peut-être lent ou bloque la connexion. Réessayez, ou essayez un autre réseau.',
  'error.session/host-not-found': 'Le nom de la passerelle est introuvable.',
  'error.session/host-not-found.remedy':
    'Vérifiez que cet ordinateur est en ligne et que le nom de la passerelle dans le profil est juste.',
  'error.session/deleted-by-gateway': 'La passerelle a mis fin à la connexion.',
  'error.session/deleted-by-gateway.remedy':
    'Elle redémarre peut-être, ou un administrateur a clos la session. Reconnectez-vous.',
  'error.net/unreachable': 'Le réseau n’atteint pas la passerelle.',
  'error.net/unreachable.remedy': 'Vérifiez que cet ordinateur est en ligne.',
  'error.net/no-permission': 'Le moteur n’a pas le droit d’établir des tunnels.',
  'error.net/no-permission.remedy':
    'Il doit fonctionner avec les droits d’administrateur. Installez-le comme service ou démarrez-le en administrateur.',
  'error.daemon/cancelled': 'La connexion a été interrompue avant d’être établie.',
  'error.daemon/cancelled.remedy': 'Reconnectez-vous.',
  'error.daemon/busy': 'Une autre connexion est déjà établie.',
  'error.daemon/busy.remedy': 'Déconnectez-la d’abord.',
  'error.profile/syntax': 'Ce n’est pas un profil.',
  'error.profile/syntax.remedy': 'Choisissez le fichier que votre administrateur vous a remis.',
  'error.profile/invalid': 'Le profil contient des erreurs.',
  'error.profile/invalid.remedy':
    'Corrigez le fichier ou demandez-le à l’administrateur qui l’a créé, puis réimportez-le.',
  'error.profile/unknown-key': 'Le profil contient une clé qui n’existe pas.',
  'error.profile/unknown-key.remedy':
    'Corrigez le fichier ou demandez-le à l’administrateur qui l’a créé, puis réimportez-le.',
  'error.profile/missing': 'Il manque quelque chose dans le profil.',
  'error.profile/missing.remedy':
    'Complétez le fichier ou demandez-le à l’administrateur qui l’a créé, puis réimportez-le.',
  'error.profile/conflict': 'Des parties du profil ne vont pas ensemble.',
  'error.profile/conflict.remedy':
    'Corrigez le fichier ou demandez-le à l’administrateur qui l’a créé, puis réimportez-le.',
  'error.profile/version': 'Le profil est fait pour une autre version de Culvert.',
  'error.profile/version.remedy': 'Demandez à l’administrateur qui l’a créé un profil pour cette version.',
  'error.profile/exists': 'Un profil porte déjà ce nom.',
  'error.profile/exists.remedy': 'Remplacez-le, ou donnez un autre nom à l’un des deux.',
  'error.profile/not-found': 'Ce profil n’existe plus.',
  'error.profile/not-found.remedy': 'Choisissez-en un autre, ou réimportez-le.',
  'error.profile/name': 'Ce nom ne convient pas à un profil.',
  'error.profile/name.remedy': 'Choisissez-en un composé de lettres, chiffres, « . », « - » et « _ ».',
};
