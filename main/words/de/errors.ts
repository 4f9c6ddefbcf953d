import type { errors as en } from '../en/errors.ts';
import type { Translated } from '../message.ts';

export const errors: Translated<typeof en> = {
  'error.ipc/disconnected': 'Die Engine hat sich beendet, bevor sie antwortete.',
  'error.ipc/disconnected.remedy':
    'Culvert versucht es weiter. Kommt die Engine nicht zurück, starten Sie sie neu, oder sehen Sie in ihr Protokoll.',
  'error.ipc/not-running': 'Die Engine läuft nicht.',
  'error.ipc/not-running.remedy': 'Starten Sie sie, oder starten Sie diesen Computer neu.',
  'error.ipc/no-permission': 'Von hier aus dürfen Sie die Engine nicht ansprechen.',
  'error.ipc/no-permission.remedy':
    'Öffnen Sie die Oberfläche erneut mit „culvert ui“, oder bitten Sie Ihren Administrator um Zugang.',
  'error.ipc/not-allowed': 'Das darf nur ein Administrator.',
  'error.ipc/not-allowed.remedy': 'Bitten Sie Ihren Administrator darum, oder tun Sie es als Administrator.',
  'error.ipc/contract-version': 'Dieses Fenster und die Engine haben verschiedene Versionen.',
  'error.ipc/contract-version.remedy':
    'Verwenden Sie Fenster und Engine aus derselben Installation; starten Sie nach einer Aktualisierung die Engine neu und laden Sie dieses Fenster neu.',
  'error.ipc/busy': 'Die Engine hat gerade zu viel zu tun.',
  'error.ipc/busy.remedy': 'Warten Sie einen Moment und versuchen Sie es erneut.',
  'error.ipc/internal': 'In Culvert ist etwas schiefgegangen.',
  'error.ipc/internal.remedy':
    'Versuchen Sie es erneut. Geschieht es wieder, exportieren Sie unter Diagnose einen Bericht und senden Sie ihn Ihrem Administrator.',
  'error.ike/no-response': 'Das Gateway antwortet nicht.',
  'error.ike/no-response.remedy':
    'Prüfen Sie, ob dieser Computer online ist. Eine Firewall auf dem Weg blockiert vielleicht UDP 500 und 4500: Versuchen Sie ein anderes Netz.',
  'error.ike/no-ike-proposal': 'Das Gateway nimmt keinen der Verschlüsselungsvorschläge des Profils an.',
  'error.ike/no-ike-proposal.remedy': 'Fragen Sie Ihren Administrator, welche das Gateway annimmt.',
  'error.ike/no-child-proposal': 'Das Gateway nimmt keinen der Vorschläge des Profils für Daten an.',
  'error.ike/no-child-proposal.remedy': 'Fragen Sie Ihren Administrator, welche das Gateway annimmt.',
  'error.ike/refused-by-peer': 'Das Gateway hat die Authentifizierung abgelehnt.',
  'error.ike/refused-by-peer.remedy':
    'Das Geheimnis oder Ihre Identität ist falsch, oder das Gateway kennt Sie nicht. Importieren Sie das Profil erneut, oder fragen Sie Ihren Administrator.',
  'error.ike/peer-not-authentic': 'Das Gateway konnte seine Identität nicht nachweisen.',
  'error.ike/peer-not-authentic.remedy':
    'Das Geheimnis ist auf beiden Seiten verschieden, sein Zertifikat wird nicht angenommen, oder jemand gibt sich als Gateway aus. Es wurde nichts gesendet. Fragen Sie Ihren Administrator.',
  'error.ike/peer-identity-mismatch': 'Das Gateway hat eine andere Identität nachgewiesen, als das Profil nennt.',
  'error.ike/peer-identity-mismatch.remedy':
    'Prüfen Sie die Identität des Gateways im Profil, oder fragen Sie Ihren Administrator.',
  'error.ike/traffic-selectors': 'Das Gateway nimmt die Netze des Profils nicht an.',
  'error.ike/traffic-selectors.remedy':
    'Bitten Sie Ihren Administrator, die Netze des Gateways mit denen des Profils zu vergleichen.',
  'error.eap/credentials-refused': 'Das Gateway hat Benutzernamen oder Passwort abgelehnt.',
  'error.eap/credentials-refused.remedy':
    'Prüfen Sie den Benutzernamen und geben Sie das Passwort neu ein. Nach mehreren Fehlern kann das Konto gesperrt sein: Fragen Sie dann Ihren Administrator.',
  'error.eap/code-refused': 'Das Gateway hat den Einmalcode abgelehnt.',
  'error.eap/code-refused.remedy':
    'Warten Sie auf einen neuen Code und versuchen Sie es noch einmal; prüfen Sie, ob die Uhr des Geräts stimmt, das ihn zeigt.',
  'error.eap/password-expired': 'Das Passwort ist abgelaufen.',
  'error.eap/password-expired.remedy':
    'Ändern Sie es dort, wo Ihre Organisation es vorsieht, und verbinden Sie sich mit dem neuen.',
  'error.eap/account-restricted': 'Das Konto darf sich jetzt nicht verbinden.',
  'error.eap/account-restricted.remedy': 'Fragen Sie Ihren Administrator.',
  'error.eap/refused': 'Das Gateway hat die Anmeldung abgelehnt.',
  'error.eap/refused.remedy': 'Prüfen Sie den Benutzernamen im Profil oder fragen Sie Ihren Administrator.',
  'error.eap/no-common-method': 'Das Gateway verlangt ein Anmeldeverfahren, das das Profil nicht erlaubt.',
  'error.eap/no-common-method.remedy':
    'Bitten Sie Ihren Administrator, die Verfahren von Gateway und Profil zu vergleichen.',
  'error.eap/server-not-authentic': 'Das Gateway konnte nicht beweisen, dass es das Passwort kennt.',
  'error.eap/server-not-authentic.remedy':
    'Jemand könnte sich als Gateway ausgeben. Geben Sie das Passwort nicht noch einmal ein, bevor Ihr Administrator nachgesehen hat.',
  'error.eap/server-certificate':
    'Das Zertifikat des Anmeldeservers wurde nicht angenommen. Es wurde kein Passwort gesendet.',
  'error.eap/server-certificate.remedy':
    'Das Profil nennt vielleicht eine andere Zertifizierungsstelle oder einen anderen Server; oder jemand gibt sich als Gateway aus. Fragen Sie Ihren Administrator.',
  'error.eap/client-certificate': 'Das Gateway hat Ihr Zertifikat nicht angenommen.',
  'error.eap/client-certificate.remedy':
    'Es ist vielleicht abgelaufen oder dem Gateway unbekannt. Fragen Sie Ihren Administrator.',
  'error.eap/prompt-cancelled': 'Die Frage wurde abgebrochen.',
  'error.eap/prompt-cancelled.remedy': 'Verbinden Sie sich erneut und beantworten Sie sie.',
  'error.eap/prompt-timed-out': 'Niemand hat die Frage rechtzeitig beantwortet.',
  'error.eap/prompt-timed-out.remedy': 'Verbinden Sie sich erneut, wenn Sie Passwort oder Code zur Hand haben.',
  'error.session/gateway-did-not-wait': 'Das Gateway hat nicht auf Ihre Antwort gewartet.',
  'error.session/gateway-did-not-wait.remedy':
    'Verbinden Sie sich erneut und halten Sie Passwort oder Code bereit: Viele Gateways warten nur eine halbe Minute.',
  'error.daemon/no-prompt': 'Diese Frage ist nicht mehr offen.',
  'error.daemon/no-prompt.remedy':
    'Sie wurde anderswo beantwortet, es dauerte zu lange, oder die Verbindung ist beendet. Verbinden Sie sich erneut.',
  'error.net/no-tun-device': 'Dieser Computer kann kein TUN-Gerät anlegen.',
  'error.net/no-tun-device.remedy': 'Installieren oder laden Sie den TUN-Treiber, oder fragen Sie Ihren Administrator.',
  'error.session/worker-died': 'Ein Teil der Engine hat unerwartet aufgehört.',
  'error.session/worker-died.remedy':
    'Er startet von selbst neu. Geschieht es wieder, exportieren Sie unter Diagnose einen Bericht.',
  'error.session/timed-out': 'Der Verbindungsaufbau hat zu lange gedauert.',
  'error.session/timed-out.remedy':
    'Das Netz ist vielleicht langsam oder blockiert die Verbindung. Versuchen Sie es erneut oder in einem anderen Netz.',
  'error.session/host-not-found': 'Der Name des Gateways ist nicht zu finden.',
  'error.session/host-not-found.remedy':
    'Prüfen Sie, ob dieser Computer online ist und ob der Name des Gateways im Profil stimmt.',
  'error.session/deleted-by-gateway': 'Das Gateway hat die Verbindung beendet.',
  'error.session/deleted-by-gateway.remedy':
    'Vielleicht startet es neu, oder ein Administrator hat die Sitzung beendet. Verbinden Sie erneut.',
  'error.net/unreachable': 'Das Netz erreicht das Gateway nicht.',
  'error.net/unreachable.remedy': 'Prüfen Sie, ob dieser Computer online ist.',
  'error.net/no-permission': 'Die Engine darf keine Tunnel einrichten.',
  'error.net/no-permission.remedy':
    'Sie muss mit Administratorrechten laufen. Installieren Sie sie als Dienst, oder starten Sie sie als Administrator.',
  'error.daemon/cancelled': 'Die Verbindung mit „{profile}“ wurde beendet, bevor sie stand.',
  'error.daemon/cancelled.remedy': 'Verbinden Sie erneut, wenn nicht Sie selbst sie beendet haben.',
  'error.daemon/busy': 'Das Profil „{profile}“ ist schon in Gebrauch.',
  'error.daemon/busy.remedy': 'Trennen Sie zuerst die Verbindung.',
  'error.profile/syntax': 'Das ist kein Profil.',
  'error.profile/syntax.remedy': 'Wählen Sie die Datei, die Sie von Ihrem Administrator erhalten haben.',
  'error.profile/invalid': 'Das Profil enthält Fehler.',
  'error.profile/invalid.remedy':
    'Berichtigen Sie die Datei, oder bitten Sie den Administrator darum, der sie erstellt hat, und importieren Sie sie erneut.',
  'error.profile/unknown-key': 'Das Profil enthält einen Schlüssel, den es nicht gibt.',
  'error.profile/unknown-key.remedy':
    'Berichtigen Sie die Datei, oder bitten Sie den Administrator darum, der sie erstellt hat, und importieren Sie sie erneut.',
  'error.profile/missing': 'Im Profil fehlt etwas.',
  'error.profile/missing.remedy':
    'Ergänzen Sie die Datei, oder bitten Sie den Administrator darum, der sie erstellt hat, und importieren Sie sie erneut.',
  'error.profile/conflict': 'Teile des Profils passen nicht zusammen.',
  'error.profile/conflict.remedy':
    'Berichtigen Sie die Datei, oder bitten Sie den Administrator darum, der sie erstellt hat, und importieren Sie sie erneut.',
  'error.profile/version': 'Das Profil ist für eine andere Version von Culvert gemacht.',
  'error.profile/version.remedy': 'Bitten Sie den Administrator, der es erstellt hat, um eines für diese Version.',
  'error.profile/exists': 'Es gibt schon ein Profil dieses Namens.',
  'error.profile/exists.remedy': 'Ersetzen Sie es, oder geben Sie einem von beiden einen anderen Namen.',
  'error.profile/not-found': 'Dieses Profil gibt es nicht mehr.',
  'error.profile/not-found.remedy': 'Wählen Sie ein anderes, oder importieren Sie es erneut.',
  'error.profile/name': 'Dieser Name ist für ein Profil nicht zulässig.',
  'error.profile/name.remedy': 'Wählen Sie einen aus Buchstaben, Ziffern, „.“, „-“ und „_“.',
  'error.ike/protocol': 'Das Gateway hat unverständlich geantwortet.',
  'error.ike/protocol.remedy':
    'Vielleicht ist es fehlerhaft, oder etwas auf dem Weg verändert die Pakete. Versuchen Sie es erneut; fragen Sie dann Ihren Administrator.',
  'error.ike/authentication-mismatch': 'Gateway und Profil verlangen verschiedene Arten der Authentifizierung.',
  'error.ike/authentication-mismatch.remedy':
    'Vielleicht verlangt das Gateway ein Zertifikat oder Benutzername und Passwort. Bitten Sie Ihren Administrator um ein passendes Profil.',
  'error.ike/eap': 'Die Anmeldung am Gateway ist gescheitert.',
  'error.ike/eap.remedy': 'Prüfen Sie den Benutzernamen im Profil, oder fragen Sie Ihren Administrator.',
  'error.ike/no-address': 'Das Gateway hat keine Adresse für diesen Computer.',
  'error.ike/no-address.remedy':
    'Vielleicht sind alle vergeben: Versuchen Sie es später erneut, oder fragen Sie Ihren Administrator.',
  'error.ike/mode-refused': 'Das Gateway lehnt die Art des Tunnels ab, die das Profil verlangt.',
  'error.ike/mode-refused.remedy': 'Bitten Sie Ihren Administrator, die Form im Profil mit dem Gateway zu vergleichen.',
  'error.ike/peer-error': 'Das Gateway hat einen Fehler gemeldet.',
  'error.ike/peer-error.remedy':
    'Versuchen Sie es später erneut, oder bitten Sie Ihren Administrator, in das Protokoll des Gateways zu sehen.',
  'error.ike/data-plane': 'Der Tunnel ließ sich auf diesem Computer nicht einrichten.',
  'error.ike/data-plane.remedy':
    'Versuchen Sie es erneut. Geschieht es wieder, exportieren Sie unter Diagnose einen Bericht.',
  'error.ike/configuration': 'Etwas im Profil lässt sich nicht verwenden.',
  'error.ike/configuration.remedy':
    'Fragen Sie den Administrator, der das Profil erstellt hat, und importieren Sie es erneut.',
  'error.eap/tls': 'Die verschlüsselte Anmeldung am Gateway ist gescheitert.',
  'error.eap/tls.remedy':
    'Vielleicht passen TLS-Version oder Zertifikate der beiden Seiten nicht zusammen. Fragen Sie Ihren Administrator.',
  'error.eap/gateway-unproven':
    'Das Gateway wollte ein Passwort, ohne sich ausgewiesen zu haben. Es wurde keines gesendet.',
  'error.eap/gateway-unproven.remedy':
    'Vielleicht gibt sich jemand als Gateway aus, oder das Profil ist unvollständig. Fragen Sie Ihren Administrator.',
  'error.eap/protocol': 'Bei der Anmeldung am Gateway ist etwas schiefgegangen.',
  'error.eap/protocol.remedy':
    'Versuchen Sie es erneut. Geschieht es wieder, exportieren Sie unter Diagnose einen Bericht und senden Sie ihn Ihrem Administrator.',
  'error.eap/nobody-to-ask': 'Ein Passwort oder Code war nötig, und niemand war da, der gefragt werden konnte.',
  'error.eap/nobody-to-ask.remedy': 'Verbinden Sie aus diesem Fenster oder aus einem Terminal.',
  'error.eap/configuration': 'Die Anmeldung, die das Profil nennt, lässt sich nicht verwenden.',
  'error.eap/configuration.remedy': 'Fragen Sie den Administrator, der das Profil erstellt hat.',
  'error.net/name-taken': 'Der Gerätename des Tunnels ist vergeben.',
  'error.net/name-taken.remedy':
    'Vielleicht läuft ein anderes VPN: Beenden Sie es, oder wählen Sie im Profil einen anderen Namen.',
  'error.net/address-in-use': 'Ein Port, den der Tunnel braucht, ist belegt.',
  'error.net/address-in-use.remedy': 'Vielleicht läuft ein anderes VPN: Beenden Sie es und verbinden Sie erneut.',
  'error.net/command-failed': 'Ein Befehl des Betriebssystems ist gescheitert.',
  'error.net/command-failed.remedy': 'Sehen Sie in das Protokoll der Engine, oder fragen Sie Ihren Administrator.',
  'error.net/command-missing': 'Ein Programm, das die Engine braucht, ist nicht installiert.',
  'error.net/command-missing.remedy': 'Installieren Sie es, oder fragen Sie Ihren Administrator.',
  'error.net/unsupported': 'Das Betriebssystem dieses Computers kann das nicht.',
  'error.net/unsupported.remedy': 'Bitten Sie Ihren Administrator um ein anderes Profil.',
  'error.net/system-call': 'Das Betriebssystem hat etwas verweigert, das der Tunnel braucht.',
  'error.net/system-call.remedy':
    'Versuchen Sie es erneut. Geschieht es wieder, exportieren Sie unter Diagnose einen Bericht.',
  'error.session/moved': 'Dieser Computer ist jetzt in einem anderen Netz.',
  'error.session/moved.remedy': 'Die Verbindung wird von selbst neu aufgebaut; Sie müssen nichts tun.',
  'error.session/no-tunnel-address': 'Der Tunnel hat keine Adresse.',
  'error.session/no-tunnel-address.remedy':
    'Weder das Profil noch das Gateway vergibt eine. Fragen Sie Ihren Administrator.',
  'error.session/delivery-address': 'Die Adressen, zwischen denen GRE laufen soll, passen nicht zu diesem Netz.',
  'error.session/delivery-address.remedy': 'Versuchen Sie ein anderes Netz, oder fragen Sie Ihren Administrator.',
  'error.session/selectors-too-narrow': 'Das Gateway lässt die GRE-Pakete des Tunnels nicht durch.',
  'error.session/selectors-too-narrow.remedy':
    'Bitten Sie Ihren Administrator, die GRE-Adressen des Profils mit den Netzen des Gateways zu vergleichen.',
  'error.session/carries-gre-only': 'Das Gateway befördert nur GRE, und dieser Tunnel verwendet keines.',
  'error.session/carries-gre-only.remedy':
    'Fragen Sie Ihren Administrator, ob die Tunnelart des Profils die des Gateways ist.',
  'error.session/too-many-selectors': 'Das Gateway nennt mehr Netze, als der Tunnel fasst.',
  'error.session/too-many-selectors.remedy': 'Bitten Sie Ihren Administrator, sie zusammenzufassen.',
  'error.session/redirected': 'Das Gateway verweist diesen Computer an ein anderes.',
  'error.session/redirected.remedy':
    'Die Verbindung wird dort von selbst aufgebaut. Gelingt das nie, fragen Sie Ihren Administrator.',
  'error.session/closed': 'Die Verbindung wurde von dieser Seite beendet.',
  'error.session/closed.remedy': 'Verbinden Sie erneut.',
  'error.session/stream-closed': 'Die TCP-Verbindung zum Gateway ist abgebrochen.',
  'error.session/stream-closed.remedy':
    'Sie wird von selbst neu aufgebaut. Gelingt das nie, nimmt das Gateway vielleicht keine VPN-Verbindungen über TCP an: Fragen Sie Ihren Administrator.',
  'error.session/key-used-up': 'Der Schlüssel hat so viele Daten verschlüsselt, wie sicher ist.',
  'error.session/key-used-up.remedy': 'Die Verbindung wird von selbst mit einem neuen Schlüssel aufgebaut.',
  'error.session/data-plane': 'Dieser Computer darf die Pakete des Tunnels nicht so senden, wie das Gateway es will.',
  'error.session/data-plane.remedy':
    'Stellen Sie im Profil die Kapselung auf UDP, oder fragen Sie Ihren Administrator.',
  'error.session/path-too-small': 'Das Netz lässt nur Pakete durch, die für den Tunnel zu klein sind.',
  'error.session/path-too-small.remedy': 'Versuchen Sie ein anderes Netz, oder fragen Sie Ihren Administrator.',
  'error.session/internal': 'In Culvert ist etwas schiefgegangen.',
  'error.session/internal.remedy':
    'Versuchen Sie es erneut. Geschieht es wieder, exportieren Sie unter Diagnose einen Bericht und senden Sie ihn Ihrem Administrator.',
  'error.daemon/in-use': 'Das Profil „{profile}“ ist in Gebrauch. Es wurde nichts geändert.',
  'error.daemon/in-use.remedy': 'Trennen Sie zuerst die Verbindung, und versuchen Sie es dann erneut.',
  'error.daemon/stopping': 'Die Engine wird gerade beendet.',
  'error.daemon/stopping.remedy': 'Starten Sie sie erneut, oder starten Sie diesen Computer neu.',
  'error.daemon/settings': 'Die Einstellungen ließen sich nicht speichern.',
  'error.daemon/settings.remedy':
    'Vielleicht ist der Datenträger voll. Sehen Sie in das Protokoll der Engine, oder fragen Sie Ihren Administrator.',
  'error.profile/secret': 'Ein Geheimnis, Zertifikat oder Schlüssel im Profil lässt sich nicht verwenden.',
  'error.profile/secret.remedy': 'Bitten Sie den Administrator, der das Profil erstellt hat, um ein berichtigtes.',
  'error.profile/store': 'Das Profil ließ sich nicht lesen oder speichern.',
  'error.profile/store.remedy':
    'Vielleicht ist der Datenträger voll oder beschädigt. Sehen Sie in das Protokoll der Engine, oder fragen Sie Ihren Administrator.',
  'error.profile/too-many': 'Es gibt schon {most} Profile; mehr werden nicht aufbewahrt.',
  'error.profile/too-many.remedy': 'Entfernen Sie eines, das nicht mehr gebraucht wird.',
  'error.eap/prompt-withdrawn': 'Die Verbindung, die gefragt hat, ist zu Ende.',
  'error.eap/prompt-withdrawn.remedy': 'Sie müssen nichts tun: Die nächste fragt erneut.',
  'error.ipc/bad-message': 'Dieses Fenster und die Engine verstehen einander nicht.',
  'error.ipc/bad-message.remedy':
    'Verwenden Sie Fenster und Engine aus derselben Installation; starten Sie nach einer Aktualisierung die Engine neu und laden Sie dieses Fenster neu.',
  'error.ipc/unknown-call': 'Die Engine kennt nicht, was dieses Fenster verlangt.',
  'error.ipc/unknown-call.remedy':
    'Verwenden Sie Fenster und Engine aus derselben Installation; starten Sie nach einer Aktualisierung die Engine neu und laden Sie dieses Fenster neu.',
  'error.ipc/bad-params': 'Die Engine versteht nicht, was dieses Fenster verlangt.',
  'error.ipc/bad-params.remedy':
    'Verwenden Sie Fenster und Engine aus derselben Installation; starten Sie nach einer Aktualisierung die Engine neu und laden Sie dieses Fenster neu.',
  'error.ipc/socket': 'Die Engine ist auf diesem Computer nicht zu erreichen.',
  'error.ipc/socket.remedy': 'Starten Sie sie neu, oder sehen Sie in ihr Protokoll.',
  'error.engine/unsupported': 'Diese Engine kann das nicht.',
  'error.engine/unsupported.remedy': 'Aktualisieren Sie Culvert, oder verzichten Sie darauf.',
  'error.daemon/not-connected': 'Es besteht kein Tunnel, dessen Pfad sich testen ließe.',
  'error.daemon/not-connected.remedy': 'Verbinden Sie sich zuerst.',
  'error.daemon/testing': 'Der Pfad wird schon getestet.',
  'error.daemon/testing.remedy': 'Warten Sie, bis der Test fertig ist, oder brechen Sie ihn ab.',
  'error.daemon/test-cancelled': 'Der Test des Pfads wurde vorzeitig beendet.',
  'error.daemon/test-cancelled.remedy': 'Starten Sie ihn erneut.',
  'error.daemon/path-test': 'Der Pfad dieses Tunnels lässt sich jetzt nicht testen: Der Test braucht IKE.',
  'error.daemon/path-test.remedy':
    'Versuchen Sie es erneut, sobald Sie verbunden sind. Ein Tunnel aus bloßem GRE hat kein IKE: Stellen Sie seine MTU von Hand ein.',
  'error.profile/url': 'Von dieser Adresse lässt sich kein Profil abrufen.',
  'error.profile/url.remedy':
    'Sie muss mit https:// beginnen und darf weder Namen noch Passwort enthalten, etwa https://vpn.example.com/office.json.',
  'error.profile/fetch': 'Das Profil ließ sich nicht abrufen.',
  'error.profile/fetch.remedy':
    'Prüfen Sie die Adresse, und ob dieser Computer online ist. Verlangt die Adresse eine Anmeldung, laden Sie die Datei selbst herunter und importieren Sie sie.',
  'error.profile/changed-meanwhile':
    'Das Profil an dieser Adresse ist ein anderes als das, das Sie gesehen haben. Nichts wurde gespeichert.',
  'error.profile/changed-meanwhile.remedy':
    'Sehen Sie es sich noch einmal an. Ändert es sich immer wieder, lassen Sie sich die Datei von Ihrem Administrator geben.',
  'error.profile/unreadable': '{path} lässt sich nicht als Profil lesen.',
  'error.profile/unreadable.remedy': 'Wählen Sie die Datei, die Sie von Ihrem Administrator erhalten haben.',
  'error.shell/engine-crashes': 'Die Engine endete {count}-mal innerhalb einer Minute.',
  'error.shell/engine-crashes.remedy':
    'Starten Sie diesen Computer neu. Geschieht es wieder, geben Sie das Protokoll der Engine Ihrem Administrator.',
  'error.shell/not-authorised': 'Die Engine wurde nicht gestartet: Ein Administrator muss es erlauben.',
  'error.shell/not-authorised.remedy':
    'Versuchen Sie es erneut und geben Sie das Passwort eines Administrators ein, oder lassen Sie den Systemdienst installieren.',
  'error.shell/no-elevation':
    'Die Engine wurde nicht gestartet: Hier kann niemand nach dem Passwort eines Administrators gefragt werden.',
  'error.shell/no-elevation.remedy':
    'Installieren Sie pkexec und melden Sie sich an einem Desktop an, oder lassen Sie den Systemdienst installieren.',
  'error.shell/engine-not-safe':
    'Die Engine wurde nicht gestartet: Auch andere als der Administrator können ihre Dateien ändern.',
  'error.shell/engine-not-safe.remedy': 'Installieren Sie Culvert aus seinem Paket, damit seine Dateien root gehören.',
  'error.shell/engine-start': 'Die Engine ließ sich nicht starten.',
  'error.shell/engine-start.remedy':
    'Starten Sie diesen Computer neu. Hilft das nicht, fragen Sie Ihren Administrator.',
  'error.shell/start-at-login': 'Culvert kann nicht bei der Anmeldung gestartet werden.',
  'error.shell/start-at-login.remedy':
    'Prüfen Sie, ob Sie in Ihren Autostart-Ordner schreiben dürfen, oder tragen Sie Culvert in den Einstellungen Ihres Desktops ein.',
};
