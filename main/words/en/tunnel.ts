// What people should know of a tunnel: of the one that is up, and of what its profile would make of it.
export const tunnel = {
  'tunnel.plain': 'This tunnel is plain GRE: NOTHING IS ENCRYPTED OR AUTHENTICATED. Use it in a laboratory only.',
  'tunnel.ipv6Off': 'IPv6 is off inside the tunnel: it needs an MTU of at least 1280, and this one is {mtu}.',
  'tunnel.mtuTooLarge':
    'The MTU is set to {value}, but only {computed} fits a path of {path}: larger packets are cut into pieces or lost.',
  'tunnel.noFamily': 'Blocked, because the tunnel has no address of their family: {prefixes}.',
  'tunnel.carriesOnly': 'The gateway carries {carried} only. Everything else in {prefixes} is dropped.',
  'tunnel.serversOutside': 'Name servers that are not asked, because the tunnel does not reach them: {servers}.',
  'tunnel.serversUnknown':
    'Everything goes through the tunnel, but no name server behind it is known: names are still looked up outside. Set dns.servers in the profile.',
  'tunnel.namesFailed': 'Names are NOT looked up through the tunnel. {error} {remedy}',
  'tunnel.manyNetworks':
    'There are {networks} networks behind the gateway, and only {most} are checked one by one: packets from any address are accepted out of the tunnel.',
  'tunnel.nothingRouted': 'No network goes through the tunnel, except its own.',
  'tunnel.weak': 'Weak: the gateway chose {protocol} {proposal}. It uses {weakness}',
  'tunnel.weakUnknown': 'Whether {protocol} {proposal}, which the gateway chose, is weak is not known.',
  'weakness.sha1': 'SHA-1, which is kept for old gateways only. Ask for sha256 on the gateway.',
  'weakness.modp1024':
    'MODP-1024 (group 2), which an agency can break and perhaps others. Ask for ecp256 or modp2048 (group 14) on the gateway.',
  'weakness.modp1536':
    'MODP-1536 (group 5), which is too short by today’s measure. Ask for ecp256 or modp2048 (group 14) on the gateway.',
} as const;
