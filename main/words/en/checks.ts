// The checks of main/diagnose: what was found, the likely cause, what to do.
export const checks = {
  'check.title.connection': 'Connection',
  'check.title.tun': 'Network interface of the tunnel',
  'check.title.clock': 'Clock',
  'check.title.dns': 'Name of the gateway',
  'check.title.gateway-reachable': 'Way to the gateway',
  'check.title.traffic': 'Traffic from the gateway',
  'check.title.mtu-black-hole': 'Large packets',
  'check.title.drops': 'Dropped packets',

  'check.connection.up': 'Connected with “{profile}”.',
  'check.connection.connecting': 'Connecting with “{profile}”.',
  'check.connection.disconnecting': 'Disconnecting from “{profile}”.',
  'check.connection.ended': 'Not connected. The last connection ended: {error}',
  'check.notConnected': 'Not connected.',

  'check.tun.good': 'TUN devices can be made.',
  'check.tun.bad': '/dev/net/tun cannot be used ({error}).',
  'check.tun.noModule': 'The kernel module “tun” is not loaded, or a container hides it.',
  'check.tun.noModule.remedy': 'Load it: sudo modprobe tun',
  'check.tun.noRights': 'The engine does not run as root.',
  'check.tun.noRights.remedy': 'Start the engine as root, or give it CAP_NET_ADMIN.',

  'check.clock.good': 'It is {time}.',
  'check.clock.wrong': 'This computer believes that it is {time}.',
  'check.clock.cause': 'Its battery is empty, or it has not reached a time server yet.',
  'check.clock.remedy': 'Set the date and time: certificates are judged by it.',

  'check.dns.noProfile': 'There is no profile to look at.',
  'check.dns.found': '{host} is {addresses}.',
  'check.dns.failed': '{host} cannot be resolved ({error}).',
  'check.dns.late': '{host} cannot be resolved: no name server answered in time.',
  'check.dns.empty': '{host} has no address.',
  'check.dns.cause': 'This computer is offline, its name server does not answer, or the name is misspelt.',
  'check.dns.remedy':
    'Check the network, and gateway.host in the profile. A hotel or café may want you to accept its terms in a browser first.',

  'check.reach.connected': 'The gateway answers.',
  'check.reach.notAsked': 'Not asked now.',
  'check.reach.all': 'It answers on UDP {answered}.',
  'check.reach.some': 'It answers on UDP {answered}, but not on UDP {silent}.',
  'check.reach.none': 'It does not answer on UDP {silent}.',
  'check.reach.some.cause': 'A firewall on the way blocks UDP {silent}.',
  'check.reach.some.remedy':
    'Both ports are needed, 4500 also for the traffic itself: try another network, or ask its administrator.',
  'check.reach.refused': 'The computer at this address says that nothing listens there.',
  'check.reach.refused.remedy':
    'Check the address in the profile; on the gateway, check that its IPsec service is running.',
  'check.reach.silent': 'The gateway is down, its address is wrong, or a firewall on the way blocks UDP 500 and 4500.',
  'check.reach.silent.remedy':
    'Try another network, such as a mobile phone’s. If it works there, this network blocks VPNs.',

  'check.traffic.good': 'Packets received: {received}; sent: {sent}.',
  'check.traffic.silent': 'Packets sent into the tunnel: {sent}. None came back.',
  'check.traffic.silent.cause':
    'The gateway has no way back to your tunnel address, its GRE key or addresses differ from the profile, or a firewall on the way drops ESP.',
  'check.traffic.silent.remedy':
    'Look at the dropped packets below. If the encapsulation is “auto”, try “udp”; otherwise send the report to the gateway’s administrator.',

  'check.mtu.good': 'Nothing speaks against an MTU of {mtu}.',
  'check.mtu.narrow': 'Packets of more than {works} bytes are lost on the way; the tunnel assumes {assumed}.',
  'check.mtu.narrow.cause': 'A link on the way is narrower, and the router before it does not say so.',
  'check.mtu.narrow.remedy': 'Use the result of the path test on the MTU page.',
  'check.mtu.fixed': 'The tunnel’s MTU is fixed at {value}, but only {computed} fit.',
  'check.mtu.fixed.cause': 'The profile or a person set it.',
  'check.mtu.fixed.remedy': 'Set the MTU to automatic.',
  'check.mtu.oneWay': 'Large packets leave, and hardly anything comes back.',
  'check.mtu.oneWay.cause': 'They may be too large for a link on the way that does not say so.',
  'check.mtu.oneWay.remedy': 'Test the path on the MTU page.',

  'check.drops.none': 'None.',
  'check.drops.some': '{dropped} of {all} packets. Most often ({most}): {reason}.',
  'check.drops.gre': 'The GRE settings of profile and gateway differ (key, checksum, sequence numbers).',
  'check.drops.replay': 'The network reorders packets more than the replay window allows, or repeats them.',
  'check.drops.foreign': 'Packets of another connection arrive here, or packets are damaged on the way.',
  'check.drops.addresses': 'The gateway sends packets from networks that the profile does not route.',
  'check.drops.other': 'The reasons are listed under dropped packets.',
  'check.drops.remedy': 'Send the report to the gateway’s administrator.',
} as const;
