// Makes an EAP peer from what the profile says: which methods, with which identity, and which of them this gateway may see.

import { EapError } from './error.ts';
import { DEFAULT_INNER, eapInside } from './inner.ts';
import type { PeerMethod } from './method.ts';
import { MsChapV2Peer } from './mschapv2/peer.ts';
import { EAP_TYPE } from './packet.ts';
import { PeapInside } from './peap/peer.ts';
import { PeerConversation } from './peer.ts';
import { EapTlsInside } from './tls/eap-tls.ts';
import { TlsEngine } from './tls/engine.ts';
import { type PeerInside, TlsPeer } from './tls/peer.ts';
import { Md5Peer, TokenPeer } from './token.ts';
import { eapLogin, msChapV2Login, papLogin, TtlsInside } from './ttls/peer.ts';
import type { EapMethodName, EapPeer, EapPeerConfig, EapPeerDeps } from './types.ts';

/** Methods that prove the server before a secret leaves (RFC 5998 §4). */
const PROVES_SERVER: readonly EapMethodName[] = ['tls', 'ttls', 'peap'];

const DEFAULT_FRAGMENT = 1024;

export function createEapPeer(config: EapPeerConfig, deps: EapPeerDeps): EapPeer {
  const allowed = config.methods.filter((name) => config.gatewayProven || PROVES_SERVER.includes(name));
  return new PeerConversation({
    methods: allowed.map((name) => ({ type: EAP_TYPE[name], make: () => methodOf(name, config, deps) })),
    withheld: config.methods.filter((name) => !allowed.includes(name)).map((name) => EAP_TYPE[name]),
    identity: config.anonymousIdentity ?? config.username,
    log: deps.log ?? (() => {}),
  });
}

function methodOf(name: EapMethodName, config: EapPeerConfig, deps: EapPeerDeps): PeerMethod {
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
      return overTls('tls', new EapTlsInside(), config);
    case 'ttls':
      return overTls('ttls', new TtlsInside(ttlsLogin(config, deps)), config);
    case 'peap':
      return overTls('peap', new PeapInside(innerConversation(config, deps)), config);
  }
}

function ttlsLogin(config: EapPeerConfig, deps: EapPeerDeps) {
  const { username } = config;
  const { random, secrets } = deps;
  switch ((config.inner ?? DEFAULT_INNER)[0]) {
    case 'pap':
      return papLogin({ username, random, secrets });
    case 'mschapv2':
      return msChapV2Login({ username, random, secrets });
    default:
      return eapLogin(innerConversation(config, deps));
  }
}

/** What runs through the tunnel, under the real name. The server has proved itself by then. */
function innerConversation(config: EapPeerConfig, deps: EapPeerDeps): PeerConversation {
  const inner = eapInside(config.inner ?? DEFAULT_INNER);
  return new PeerConversation({
    methods: inner.map((name) => ({ type: EAP_TYPE[name], make: () => methodOf(name, config, deps) })),
    withheld: [],
    identity: config.username,
    log: deps.log ?? (() => {}),
  });
}

function overTls(name: 'tls' | 'ttls' | 'peap', inside: PeerInside, config: EapPeerConfig): TlsPeer {
  const { trust, clientCertificate } = config;
  if (!trust) throw unusable('it names no authority for the certificate of the EAP server');
  if (name === 'tls' && !clientCertificate) throw unusable('it has no certificate of ours for EAP-TLS');
  return new TlsPeer({
    type: EAP_TYPE[name],
    fragmentSize: config.fragmentSize ?? DEFAULT_FRAGMENT,
    inside,
    check: trust.check,
    engine: () => {
      try {
        return TlsEngine.client({ trust: trust.check ? 'later' : trust, ...clientCertificate });
      } catch (error) {
        throw unusable(error instanceof Error ? error.message : String(error));
      }
    },
  });
}

const unusable = (why: string): EapError =>
  new EapError({
    reason: 'configuration',
    message: `the profile is not enough for EAP over TLS: ${why}`,
    remedy: 'have the administrator complete the profile',
  });
