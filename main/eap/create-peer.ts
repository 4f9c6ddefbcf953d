// Makes an EAP peer from what the profile says: which methods, with which identity, and which of them this gateway may see.

import { MsChapV2Peer } from './mschapv2/peer.ts';
import { EAP_TYPE } from './packet.ts';
import { type MethodChoice, PeerConversation } from './peer.ts';
import { Md5Peer, TokenPeer } from './token.ts';
import type { EapMethodName, EapPeer, EapPeerConfig, EapPeerDeps } from './types.ts';

/** Methods that prove the server before a secret leaves (RFC 5998 §4). */
const PROVES_SERVER: readonly EapMethodName[] = ['tls', 'ttls', 'peap'];

/** Under way. */
const NOT_THERE_YET: readonly EapMethodName[] = ['tls', 'ttls', 'peap'];

export function createEapPeer(config: EapPeerConfig, deps: EapPeerDeps): EapPeer {
  const allowed = config.methods.filter(
    (name) => (config.gatewayProven || PROVES_SERVER.includes(name)) && !NOT_THERE_YET.includes(name),
  );
  return new PeerConversation({
    methods: allowed.map((name) => ({ type: EAP_TYPE[name], make: () => methodOf(name, config, deps) })),
    withheld: config.methods.filter((name) => !allowed.includes(name)).map((name) => EAP_TYPE[name]),
    identity: config.anonymousIdentity ?? config.username,
    log: deps.log ?? (() => {}),
  });
}

function methodOf(name: EapMethodName, config: EapPeerConfig, deps: EapPeerDeps): ReturnType<MethodChoice['make']> {
  const { username } = config;
  const { random, secrets } = deps;
  switch (name) {
    case 'mschapv2':
      return new MsChapV2Peer({ username, random, secrets });
    case 'gtc':
      return new TokenPeer(EAP_TYPE.gtc, config.gtc ?? 'password', secrets);
    case 'otp':
      return new TokenPeer(EAP_TYPE.otp, 'code', secrets);
    case 'md5':
      return new Md5Peer(secrets);
    case 'tls':
    case 'ttls':
    case 'peap':
      throw new RangeError(`${name} is not there yet`);
  }
}
