import type { errors as en } from '../en/errors.ts';
import type { Translated } from '../message.ts';

export const errors: Translated<typeof en> = {
  'error.ipc/disconnected': 'Le moteur s’est arrêté avant de répondre.',
  'error.ipc/disconnected.remedy':
    'Culvert continue d’essayer. S’il ne revient pas, redémarrez-le ou consultez son journal.',
  'error.ipc/not-running': 'Le moteur n’est pas en marche.',
  'error.ipc/not-running.remedy': 'Démarrez-le ou redémarrez cet ordinateur.',
  'error.ipc/no-permission': 'Vous n’êtes pas autorisé à parler au moteur depuis cette fenêtre.',
  'error.ipc/no-permission.remedy':
    'Rouvrez l’interface avec « culvert ui » ou demandez l’accès à votre administrateur.',
  'error.ipc/not-allowed': 'Seul un administrateur peut le faire.',
  'error.ipc/not-allowed.remedy': 'Demandez à votre administrateur, ou faites-le en tant qu’administrateur.',
  'error.ipc/contract-version': 'Cette fenêtre et le moteur sont de versions différentes.',
  'error.ipc/contract-version.remedy':
    'Utilisez la fenêtre et le moteur d’une même installation ; après une mise à jour, redémarrez le moteur et rechargez cette fenêtre.',
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
    'Le secret diffère entre les deux côtés, son certificat n’est pas accepté, ou quelqu’un se fait passer pour la passerelle. Rien n’a été envoyé. Adressez-vous à votre administrateur.',
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
  'error.daemon/cancelled': 'La connexion avec « {profile} » a été arrêtée avant d’être établie.',
  'error.daemon/cancelled.remedy': 'Reconnectez-vous, si ce n’est pas vous qui l’avez arrêtée.',
  'error.daemon/busy': 'Le profil « {profile} » est déjà utilisé.',
  'error.daemon/busy.remedy': 'Déconnectez-vous d’abord.',
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
  'error.ike/protocol': 'La réponse de la passerelle est incompréhensible.',
  'error.ike/protocol.remedy':
    'Elle est peut-être défectueuse, ou quelque chose modifie les paquets en chemin. Réessayez, puis adressez-vous à votre administrateur.',
  'error.ike/authentication-mismatch': 'La passerelle et le profil demandent des authentifications différentes.',
  'error.ike/authentication-mismatch.remedy':
    'La passerelle veut peut-être un certificat, ou un nom d’utilisateur et un mot de passe. Demandez à votre administrateur un profil adapté.',
  'error.ike/eap': 'L’ouverture de session sur la passerelle a échoué.',
  'error.ike/eap.remedy': 'Vérifiez le nom d’utilisateur dans le profil, ou adressez-vous à votre administrateur.',
  'error.ike/no-address': 'La passerelle n’a pas d’adresse pour cet ordinateur.',
  'error.ike/no-address.remedy':
    'Toutes sont peut-être prises : réessayez plus tard, ou adressez-vous à votre administrateur.',
  'error.ike/mode-refused': 'La passerelle refuse le type de tunnel demandé par le profil.',
  'error.ike/mode-refused.remedy': 'Demandez à votre administrateur de comparer la forme du profil avec la passerelle.',
  'error.ike/peer-error': 'La passerelle a signalé une erreur.',
  'error.ike/peer-error.remedy':
    'Réessayez plus tard, ou demandez à votre administrateur de consulter le journal de la passerelle.',
  'error.ike/data-plane': 'Le tunnel n’a pas pu être mis en place sur cet ordinateur.',
  'error.ike/data-plane.remedy': 'Réessayez. Si cela se reproduit, exportez un rapport depuis Diagnostic.',
  'error.ike/configuration': 'Un élément du profil est inutilisable.',
  'error.ike/configuration.remedy':
    'Adressez-vous à l’administrateur qui a créé le profil, puis importez-le de nouveau.',
  'error.eap/tls': 'L’ouverture de session chiffrée a échoué.',
  'error.eap/tls.remedy':
    'Les deux côtés ne s’accordent peut-être pas sur la version de TLS ou sur les certificats. Adressez-vous à votre administrateur.',
  'error.eap/gateway-unproven':
    'La passerelle a demandé un mot de passe sans prouver son identité. Aucun n’a été envoyé.',
  'error.eap/gateway-unproven.remedy':
    'Quelqu’un se fait peut-être passer pour la passerelle, ou le profil est incomplet. Adressez-vous à votre administrateur.',
  'error.eap/protocol': 'L’ouverture de session sur la passerelle s’est mal déroulée.',
  'error.eap/protocol.remedy':
    'Réessayez. Si cela se reproduit, exportez un rapport depuis Diagnostic et envoyez-le à votre administrateur.',
  'error.eap/nobody-to-ask': 'Un mot de passe ou un code était demandé, et il n’y avait personne pour répondre.',
  'error.eap/nobody-to-ask.remedy': 'Connectez-vous depuis cette fenêtre ou depuis un terminal.',
  'error.eap/configuration': 'L’ouverture de session décrite par le profil est inutilisable.',
  'error.eap/configuration.remedy': 'Adressez-vous à l’administrateur qui a créé le profil.',
  'error.net/name-taken': 'Le nom du périphérique du tunnel est déjà pris.',
  'error.net/name-taken.remedy':
    'Un autre VPN est peut-être actif : arrêtez-le, ou choisissez un autre nom dans le profil.',
  'error.net/address-in-use': 'Un port nécessaire au tunnel est déjà utilisé.',
  'error.net/address-in-use.remedy': 'Un autre VPN est peut-être actif : arrêtez-le et reconnectez-vous.',
  'error.net/command-failed': 'Une commande du système d’exploitation a échoué.',
  'error.net/command-failed.remedy': 'Consultez le journal du moteur, ou adressez-vous à votre administrateur.',
  'error.net/command-missing': 'Un programme nécessaire au moteur n’est pas installé.',
  'error.net/command-missing.remedy': 'Installez-le, ou adressez-vous à votre administrateur.',
  'error.net/unsupported': 'Le système d’exploitation de cet ordinateur ne le permet pas.',
  'error.net/unsupported.remedy': 'Demandez un autre profil à votre administrateur.',
  'error.net/system-call': 'Le système d’exploitation a refusé une opération nécessaire au tunnel.',
  'error.net/system-call.remedy': 'Réessayez. Si cela se reproduit, exportez un rapport depuis Diagnostic.',
  'error.session/moved': 'Cet ordinateur est maintenant sur un autre réseau.',
  'error.session/moved.remedy': 'La connexion se rétablit d’elle-même ; il n’y a rien à faire.',
  'error.session/no-tunnel-address': 'Le tunnel n’a pas d’adresse.',
  'error.session/no-tunnel-address.remedy':
    'Ni le profil ni la passerelle n’en fournit. Adressez-vous à votre administrateur.',
  'error.session/delivery-address': 'Les adresses entre lesquelles passerait GRE ne conviennent pas à ce réseau.',
  'error.session/delivery-address.remedy': 'Essayez un autre réseau, ou adressez-vous à votre administrateur.',
  'error.session/selectors-too-narrow': 'La passerelle ne laisse pas passer les paquets GRE du tunnel.',
  'error.session/selectors-too-narrow.remedy':
    'Demandez à votre administrateur de comparer les adresses GRE du profil avec les réseaux de la passerelle.',
  'error.session/carries-gre-only': 'La passerelle n’achemine que du GRE, et ce tunnel n’en utilise pas.',
  'error.session/carries-gre-only.remedy':
    'Demandez à votre administrateur si le type de tunnel du profil est celui de la passerelle.',
  'error.session/too-many-selectors': 'La passerelle annonce plus de réseaux que le tunnel ne peut en porter.',
  'error.session/too-many-selectors.remedy': 'Demandez à votre administrateur de les regrouper.',
  'error.session/redirected': 'La passerelle renvoie cet ordinateur vers une autre.',
  'error.session/redirected.remedy':
    'La connexion s’y établit d’elle-même. Si elle n’aboutit jamais, adressez-vous à votre administrateur.',
  'error.session/closed': 'La connexion a été fermée de ce côté.',
  'error.session/closed.remedy': 'Reconnectez-vous.',
  'error.session/stream-closed': 'La connexion TCP avec la passerelle s’est rompue.',
  'error.session/stream-closed.remedy':
    'Elle se rétablit d’elle-même. Si elle n’aboutit jamais, la passerelle n’accepte peut-être pas de VPN sur TCP : adressez-vous à votre administrateur.',
  'error.session/key-used-up': 'La clé de chiffrement a servi autant qu’il est sûr.',
  'error.session/key-used-up.remedy': 'La connexion se rétablit d’elle-même avec une nouvelle clé.',
  'error.session/data-plane': 'Cet ordinateur ne peut pas envoyer les paquets du tunnel comme la passerelle le veut.',
  'error.session/data-plane.remedy':
    'Choisissez l’encapsulation UDP dans le profil, ou adressez-vous à votre administrateur.',
  'error.session/path-too-small': 'Le réseau ne laisse passer que des paquets trop petits pour le tunnel.',
  'error.session/path-too-small.remedy': 'Essayez un autre réseau, ou adressez-vous à votre administrateur.',
  'error.session/internal': 'Une erreur s’est produite dans Culvert.',
  'error.session/internal.remedy':
    'Réessayez. Si cela se reproduit, exportez un rapport depuis Diagnostic et envoyez-le à votre administrateur.',
  'error.daemon/in-use': 'Le profil « {profile} » est utilisé. Rien n’a été modifié.',
  'error.daemon/in-use.remedy': 'Déconnectez-vous d’abord, puis recommencez.',
  'error.daemon/stopping': 'Le moteur est en train de s’arrêter.',
  'error.daemon/stopping.remedy': 'Redémarrez-le, ou redémarrez cet ordinateur.',
  'error.daemon/settings': 'Les réglages n’ont pas pu être enregistrés.',
  'error.daemon/settings.remedy':
    'Le disque est peut-être plein. Consultez le journal du moteur, ou adressez-vous à votre administrateur.',
  'error.profile/secret': 'Un secret, un certificat ou une clé du profil est inutilisable.',
  'error.profile/secret.remedy': 'Demandez à l’administrateur qui a créé le profil d’en fournir un corrigé.',
  'error.profile/store': 'Le profil n’a pas pu être lu ou enregistré.',
  'error.profile/store.remedy':
    'Le disque est peut-être plein ou endommagé. Consultez le journal du moteur, ou adressez-vous à votre administrateur.',
  'error.profile/too-many': 'Il y a déjà {most} profils ; il n’en est pas conservé davantage.',
  'error.profile/too-many.remedy': 'Supprimez-en un dont vous n’avez plus besoin.',
  'error.eap/prompt-withdrawn': 'La connexion qui posait la question est terminée.',
  'error.eap/prompt-withdrawn.remedy': 'Il n’y a rien à faire : la suivante la posera de nouveau.',
  'error.ipc/bad-message': 'Cette fenêtre et le moteur ne se comprennent pas.',
  'error.ipc/bad-message.remedy':
    'Utilisez la fenêtre et le moteur d’une même installation ; après une mise à jour, redémarrez le moteur et rechargez cette fenêtre.',
  'error.ipc/unknown-call': 'Le moteur ne connaît pas ce que demande cette fenêtre.',
  'error.ipc/unknown-call.remedy':
    'Utilisez la fenêtre et le moteur d’une même installation ; après une mise à jour, redémarrez le moteur et rechargez cette fenêtre.',
  'error.ipc/bad-params': 'Le moteur ne comprend pas ce que demande cette fenêtre.',
  'error.ipc/bad-params.remedy':
    'Utilisez la fenêtre et le moteur d’une même installation ; après une mise à jour, redémarrez le moteur et rechargez cette fenêtre.',
  'error.ipc/socket': 'Le moteur est injoignable sur cet ordinateur.',
  'error.ipc/socket.remedy': 'Redémarrez-le, ou consultez son journal.',
  'error.engine/unsupported': 'Ce moteur ne sait pas faire cela.',
  'error.engine/unsupported.remedy': 'Mettez Culvert à jour, ou passez-vous-en.',
  'error.daemon/not-connected': 'Il n’y a pas de tunnel dont le chemin puisse être testé.',
  'error.daemon/not-connected.remedy': 'Connectez-vous d’abord.',
  'error.daemon/testing': 'Un test du chemin est déjà en cours.',
  'error.daemon/testing.remedy': 'Attendez sa fin, ou arrêtez-le.',
  'error.daemon/test-cancelled': 'Le test du chemin a été arrêté avant la fin.',
  'error.daemon/test-cancelled.remedy': 'Relancez-le.',
  'error.daemon/path-test': 'Le chemin de ce tunnel ne peut pas être testé maintenant : le test a besoin d’IKE.',
  'error.daemon/path-test.remedy':
    'Réessayez une fois connecté. Un tunnel GRE nu n’a pas d’IKE : réglez sa MTU à la main.',
  'error.profile/url': 'Aucun profil ne peut être téléchargé depuis cette adresse.',
  'error.profile/url.remedy':
    'Elle doit commencer par https:// et ne contenir ni nom ni mot de passe, comme https://vpn.example.com/office.json.',
  'error.profile/fetch': 'Le profil n’a pas pu être téléchargé.',
  'error.profile/fetch.remedy':
    'Vérifiez l’adresse, et que cet ordinateur est en ligne. Si l’adresse demande une connexion à un compte, téléchargez vous-même le fichier et importez-le.',
  'error.profile/changed-meanwhile':
    'Le profil à cette adresse n’est plus celui que vous avez vu. Rien n’a été enregistré.',
  'error.profile/changed-meanwhile.remedy':
    'Regardez-le à nouveau. S’il change encore, demandez le fichier à votre administrateur.',
  'error.profile/unreadable': '{path} ne peut pas être lu comme un profil.',
  'error.profile/unreadable.remedy': 'Choisissez le fichier que votre administrateur vous a remis.',
  'error.shell/engine-crashes': 'Le moteur s’est arrêté {count} fois en une minute.',
  'error.shell/engine-crashes.remedy':
    'Redémarrez cet ordinateur. Si cela se reproduit, remettez le journal du moteur à votre administrateur.',
  'error.shell/not-authorised': 'Le moteur n’a pas été démarré : un administrateur doit l’autoriser.',
  'error.shell/not-authorised.remedy':
    'Réessayez en saisissant le mot de passe d’un administrateur, ou faites installer le service système.',
  'error.shell/no-elevation':
    'Le moteur n’a pas été démarré : personne ne peut être invité ici à saisir un mot de passe d’administrateur.',
  'error.shell/no-elevation.remedy':
    'Installez pkexec et ouvrez une session de bureau, ou faites installer le service système.',
  'error.shell/engine-not-safe':
    'Le moteur n’a pas été démarré : d’autres que l’administrateur peuvent modifier ses fichiers.',
  'error.shell/engine-not-safe.remedy':
    'Installez Culvert depuis son paquet, pour que ses fichiers appartiennent à root.',
  'error.shell/engine-start': 'Le moteur n’a pas pu être démarré.',
  'error.shell/engine-start.remedy':
    'Redémarrez cet ordinateur. Si cela ne suffit pas, adressez-vous à votre administrateur.',
  'error.shell/start-at-login': 'Culvert ne peut pas être lancé à l’ouverture de session.',
  'error.shell/start-at-login.remedy':
    'Vérifiez que vous pouvez écrire dans votre dossier de démarrage automatique, ou ajoutez Culvert dans les réglages de votre bureau.',
};
