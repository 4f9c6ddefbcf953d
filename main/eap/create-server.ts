// Makes an EAP authenticator from a gateway's configuration.
import { DEFAULT_INNER, eapInside } from './inner.ts';
import type { ServerMethod } from './method.ts';
import { MsChapV2Server } from './mschapv2/server.ts';
import { EAP_TYPE } from './packet.ts';
import { PeapServerInside } from './peap/server.ts';
import { ServerConversation } from './server.ts';
import { EapTlsServerInside } from './tls/eap-tls.ts';
import { TlsEngine } from './tls/engine.ts';
import { type ServerInside, TlsServer } from './tls/server.ts';
import { Md5Server, TokenServer } from './token-server.ts';
import { TtlsServerInside } from './ttls/server.ts';
import type { EapMethodName, EapServer, EapServerConfig, EapServerDeps } from './types.ts';

const DEFAULT_ATTEMPTS = 3;
const DEFAULT_FRAGMENT = 1024;

export function createEapServer(config: EapServerConfig, deps: EapServerDeps): EapServer {
  return new ServerConversation({
    methods: config.methods.map((name) => ({
      type: EAP_TYPE[name],
      make: (identity) => methodOf(name, identity, config, deps),
    })),
    askIdentity: config.askIdentity,
    random: deps.random,
  });
}

function methodOf(name: EapMethodName, identity: string, config: EapServerConfig, deps: EapServerDeps): ServerMethod {
  const { account, attempts = DEFAULT_ATTEMPTS, prompt = 'Password' } = config;
  const { random } = deps;
  switch (name) {
    case 'mschapv2':
      return new MsChapV2Server({ name: config.name, account, attempts, random });
    case 'gtc':
      return new TokenServer(EAP_TYPE.gtc, prompt, identity, account(identity));
    case 'otp':
      return new TokenServer(EAP_TYPE.otp, prompt, identity, account(identity));
    case 'md5':
      return new Md5Server(identity, account(identity), random);
    case 'tls':
      return overTls('tls', new EapTlsServerInside(identity), config);
    case 'ttls':
      return overTls(
        'ttls',
        new TtlsServerInside({
          allowed: config.inner ?? DEFAULT_INNER,
          account,
          conversation: () => innerConversation(config, deps, false),
        }),
        config,
      );
    case 'peap':
      return overTls(
        'peap',
        new PeapServerInside({
          inner: innerConversation(config, deps, true),
          cryptobinding: config.cryptobinding ?? true,
          random,
        }),
        config,
      );
  }
}

function innerConversation(config: EapServerConfig, deps: EapServerDeps, askIdentity: boolean): ServerConversation {
  const inner = eapInside(config.inner ?? DEFAULT_INNER);
  return new ServerConversation({
    methods: inner.map((name) => ({
      type: EAP_TYPE[name],
      make: (identity) => methodOf(name, identity, config, deps),
    })),
    askIdentity,
    random: deps.random,
  });
}

function overTls(name: 'tls' | 'ttls' | 'peap', inside: ServerInside, config: EapServerConfig): TlsServer {
  const { tls } = config;
  if (!tls) throw new RangeError(`${name} needs a certificate`);
  return new TlsServer({
    type: EAP_TYPE[name],
    fragmentSize: config.fragmentSize ?? DEFAULT_FRAGMENT,
    inside,
    // Only EAP-TLS demands a certificate.
    engine: () => TlsEngine.server({ ...tls, clientAuthorities: name === 'tls' ? tls.clientAuthorities : [] }),
  });
}
