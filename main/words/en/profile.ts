// What is odd about a profile (it can be used all the same), and the kinds of mistakes in one that cannot. Places are JSON pointers into
// the file. Of a mistake the engine's own sentence says more; it is for whoever writes the file.
export const profile = {
  'profile.plain':
    'NO ENCRYPTION: the shape “gre-plain” sends everything readable and changeable by anybody on the way. Laboratories only.',
  'profile.noEffectPlain': '{place} has no effect: plain GRE authenticates nobody and negotiates nothing.',
  'profile.noEffectShape': '{place} has no effect in the shape “{shape}”.',
  'profile.mobikeShape': '{place} has no effect in the shape “{shape}”: in another network the tunnel is made anew.',
  'profile.greSequence':
    '{place} is on: a gateway whose tunnel stayed up drops numbers that look old (RFC 2890 §2.2). They go on over reconnections and restarts of this engine, but a reinstalled one starts again at 0. Leave it off unless the gateway insists.',
  'profile.legacySignatures':
    '/gateway/authentication/legacy is on: signatures with SHA-1 and short RSA keys are accepted.',
  'profile.noRevocation': '/gateway/authentication/revocation is “off”: a stolen certificate stays good.',
  'profile.password': 'The profile has a password in it: whoever has the file has the password.',
  'profile.repeats': '{place} repeats {prefix}.',
  'profile.excludeContains': '{place} ({prefix}) contains an included network: the more specific of the two wins.',
  'profile.excludeNoEffect': '{place} ({prefix}) has no effect: no included network covers it.',
  'profile.nothingRouted': 'No network is routed through the tunnel: set /routes/include, or /routes/fromGateway.',
  'profile.weak': '{place} (“{proposal}”) allows {weakness}',
  'profile.stillWeak':
    'WEAK: {place} (“{proposal}”) allows {weakness} It is still used because the profile was imported before this was refused. If the gateway cannot be changed, import it again with /proposals/policy set to “legacy”.',
  'profile.legacy': '/proposals/policy “legacy” allows, for {protocol}, {weakness}',
  'profile.mtuTooLarge': '{place} is {value}, but at most {most} fits: larger packets are cut into pieces or lost.',
  'profile.noIpv6': 'An MTU of {mtu} is under 1280: there will be no IPv6 inside the tunnel.',
  'profile.mssTooLarge': '{place} is {mss}, but only {most} fits the MTU of {mtu}: the lower figure is used.',
  'profile.shortSecret':
    'The pre-shared key is only {bytes} bytes long: whoever poses as the gateway once can guess it offline. Ask for one of at least {least} random characters.',
  'profile.fileOpen': '{path} contains a secret, and other users can read it (mode {mode}). Protect it: chmod 600',
  'profile.secretFileOpen': 'Other users can read the secret file {path} (mode {mode}). Protect it: chmod 600',

  'mistake.syntax': '{place}: this is not JSON. {hint}',
  'mistake.version': '{place}: made for another version of Culvert. {hint}',
  'mistake.unknown-key': '{place}: this key does not exist. {hint}',
  'mistake.missing': '{place}: it is missing. {hint}',
  'mistake.invalid': '{place}: this value is not allowed. {hint}',
  'mistake.conflict': '{place}: it does not go together with the rest. {hint}',
  'mistake.secret': '{place}: this secret, certificate or key cannot be used. {hint}',
  'mistake.meant': 'Did you mean {meant}?',
  'mistake.example': 'Example: {example}',
} as const;
