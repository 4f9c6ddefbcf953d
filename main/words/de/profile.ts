import type { profile as en } from '../en/profile.ts';
import type { Translated } from '../message.ts';

export const profile: Translated<typeof en> = {
  'profile.plain':
    'KEINE VERSCHLÜSSELUNG: Bei der Form „gre-plain“ kann jeder auf dem Weg alles mitlesen und ändern. Nur für Labore.',
  'profile.noEffectPlain': '{place} hat keine Wirkung: Bloßes GRE authentifiziert niemanden und handelt nichts aus.',
  'profile.noEffectShape': '{place} hat in der Form „{shape}“ keine Wirkung.',
  'profile.mobikeShape':
    '{place} hat in der Form „{shape}“ keine Wirkung: In einem anderen Netz wird der Tunnel neu aufgebaut.',
  'profile.greSequence':
    '{place} ist an: Ein Gateway, dessen Tunnel bestehen blieb, verwirft Nummern, die alt aussehen (RFC 2890 §2.2). Sie laufen über neue Verbindungen und Neustarts dieser Engine weiter, aber nach einer Neuinstallation beginnen sie wieder bei 0. Lassen Sie es aus, wenn das Gateway nicht darauf besteht.',
  'profile.legacySignatures':
    '/gateway/authentication/legacy ist an: Signaturen mit SHA-1 und kurze RSA-Schlüssel werden angenommen.',
  'profile.noRevocation': '/gateway/authentication/revocation ist „off“: Ein gestohlenes Zertifikat bleibt gültig.',
  'profile.password': 'Das Profil enthält ein Passwort: Wer die Datei hat, hat das Passwort.',
  'profile.repeats': '{place} wiederholt {prefix}.',
  'profile.excludeContains': '{place} ({prefix}) enthält ein eingeschlossenes Netz: Das genauere von beiden gilt.',
  'profile.excludeNoEffect': '{place} ({prefix}) hat keine Wirkung: Kein eingeschlossenes Netz umfasst es.',
  'profile.nothingRouted': 'Kein Netz geht durch den Tunnel: Setzen Sie /routes/include oder /routes/fromGateway.',
  'profile.weak': '{place} („{proposal}“) erlaubt {weakness}',
  'profile.stillWeak':
    'SCHWACH: {place} („{proposal}“) erlaubt {weakness} Es wird noch verwendet, weil das Profil importiert wurde, bevor dies abgelehnt wurde. Lässt sich das Gateway nicht ändern, importieren Sie es erneut und setzen /proposals/policy auf „legacy“.',
  'profile.legacy': '/proposals/policy „legacy“ erlaubt für {protocol} {weakness}',
  'profile.mtuTooLarge':
    '{place} ist {value}, aber höchstens {most} passen: Größere Pakete werden zerteilt oder gehen verloren.',
  'profile.noIpv6': 'Eine MTU von {mtu} liegt unter 1280: Im Tunnel wird es kein IPv6 geben.',
  'profile.mssTooLarge':
    '{place} ist {mss}, aber zur MTU von {mtu} passen nur {most}: Der kleinere Wert wird verwendet.',
  'profile.shortSecret':
    'Der gemeinsame Schlüssel ist nur {bytes} Byte lang: Wer sich einmal als Gateway ausgibt, kann ihn danach in Ruhe erraten. Verlangen Sie einen von mindestens {least} zufälligen Zeichen.',
  'profile.fileOpen':
    '{path} enthält ein Geheimnis, und andere Benutzer können es lesen (Modus {mode}). Schützen Sie es: chmod 600',
  'profile.secretFileOpen':
    'Andere Benutzer können die Geheimnisdatei {path} lesen (Modus {mode}). Schützen Sie sie: chmod 600',

  'mistake.syntax': '{place}: Das ist kein JSON. {hint}',
  'mistake.version': '{place}: für eine andere Version von Culvert gemacht. {hint}',
  'mistake.unknown-key': '{place}: Diesen Schlüssel gibt es nicht. {hint}',
  'mistake.missing': '{place}: fehlt. {hint}',
  'mistake.invalid': '{place}: Dieser Wert ist nicht zulässig. {hint}',
  'mistake.conflict': '{place}: passt nicht zum Übrigen. {hint}',
  'mistake.secret': '{place}: Dieses Geheimnis, Zertifikat oder dieser Schlüssel ist nicht verwendbar. {hint}',
  'mistake.meant': 'Meinten Sie {meant}?',
  'mistake.example': 'Beispiel: {example}',
};
