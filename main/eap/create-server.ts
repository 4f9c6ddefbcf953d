// Makes an EAP authenticator from a gateway's configuration.

import type { ServerMethod } from './method.ts';
import { MsChapV2Server } from './mschapv2/server.ts';
import { EAP_TYPE } from './packet.ts';
import { ServerConversation } from './server.ts';
import { Md5Server, TokenServer } from './token-server.ts';
import type { EapMethodName, EapServer, EapServerConfig, EapServerDeps } from './types.ts';

const DEFAULT_ATTEMPTS = 3;

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
    case 'ttls':
    case 'peap':
      throw new RangeError(`${name} is not there yet`);
  }
}
