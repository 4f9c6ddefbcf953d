// What strongswan-eap.test.ts runs in the client's namespace: our IKE initiator over two UDP sockets, authenticated by EAP, with
// the gateway's certificate checked. Connects, says on standard output how it went, one JSON line, and says goodbye.
//   ip netns exec <namespace> node eap-client.mjs '{ "local": "192.0.2.2", "remote": "192.0.2.1", "eap": { … }, … }'
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createEapPeer } from '../../build/out/main/eap/create-peer.js';
import { parseIdentity } from '../../build/out/main/ike/identity.js';
import { createInitiator } from '../../build/out/main/ike/initiator.js';
import { answerVerify } from '../../build/out/main/pki/answer.js';
import { readCertificates } from '../../build/out/main/pki/credential.js';
import { createTrust } from '../../build/out/main/pki/trust.js';
import { parseAddress, parsePrefix } from '../../build/out/main/wire/address.js';
import { selectorOf } from '../../build/out/main/wire/selector.js';

const options = JSON.parse(process.argv[2]);
const local = parseAddress(options.local);
const remote = parseAddress(options.remote);
const random = (length) => Uint8Array.from(randomBytes(length));
const everything = selectorOf(parsePrefix('0.0.0.0/0'), 0);
const asked = [];
const passwords = [...(options.passwords ?? [])];
const codes = [...(options.codes ?? [])];

const trust = createTrust({
  authorities: readCertificates(readFileSync(options.authority), 'the authority'),
  clock: () => Date.now(),
});
let eap;
let peerGone = false;
const answer = async (question) => {
  switch (question.kind) {
    case 'verify':
      return answerVerify(trust, question, 'gateway');
    case 'eap':
      eap ??= createEapPeer(
        { ...options.eap, gatewayProven: question.gatewayProven },
        {
          random,
          log: (level, text) => console.error(level, text),
          secrets: {
            password: async ({ refused }) => {
              asked.push(refused ? 'password again' : 'password');
              return passwords.shift() ?? null;
            },
            code: async (prompt) => {
              asked.push(`code: ${prompt}`);
              return codes.shift() ?? null;
            },
          },
        },
      );
      return { kind: 'eap', ...(await eap.process(question.packet)) };
    default:
      throw new Error(`nobody answers ${question.kind}`);
  }
};

const sockets = {};
const finish = (result) => {
  if (peerGone) return;
  peerGone = true;
  // `failure`: what EAP knew itself.
  console.log(JSON.stringify({ ...result, asked, failure: eap?.failure?.reason }));
  eap?.close();
  for (const socket of Object.values(sockets)) socket.close();
  clearTimeout(timer);
};
const ike = createInitiator(
  {
    local: { address: local, port: 500 },
    localNatt: { address: local, port: 4500 },
    remote: { address: remote, port: 500 },
    remoteNattPort: 4500,
    identity: parseIdentity(options.identity),
    remoteIdentity: options.gatewayIdentity ? parseIdentity(options.gatewayIdentity) : undefined,
    credential: { kind: 'eap', gatewayByEap: options.gatewayByEap },
    remoteAuthentication: { kind: 'signature', authorities: trust.authorityHashes },
    proposals: ['aes256gcm16-prfsha256-ecp256'],
    child: {
      mode: 'tunnel',
      proposals: ['aes128gcm16'],
      local: [everything],
      remote: [selectorOf(parsePrefix('10.66.0.0/24'), 0)],
      localIsDynamic: true,
    },
    requestAddresses: [4],
    encapsulation: 'udp',
    retransmission: { first: 500, factor: 1.8, most: 4000, tries: 4 },
    livenessInterval: 0,
    keepaliveInterval: 0,
  },
  { random },
);

let timer;
let established;
const feed = (event) => {
  for (const effect of ike.handle(event, performance.now())) carryOut(effect);
};
const carryOut = (effect) => {
  switch (effect.kind) {
    case 'send': {
      const marker = effect.transport === 'natt' ? [Buffer.alloc(4)] : [];
      if (!peerGone)
        sockets[effect.transport].send([...marker, effect.bytes], effect.to.port, effect.to.address.join('.'));
      return;
    }
    case 'timer':
      clearTimeout(timer);
      if (effect.at !== null)
        timer = setTimeout(() => feed({ kind: 'timer' }), Math.max(0, effect.at - performance.now()));
      return;
    case 'ask':
      answer(effect.question).then((given) => feed({ kind: 'answer', id: effect.id, answer: given }));
      return;
    case 'established':
      established = effect;
      return;
    case 'installChild':
      setImmediate(() => {
        feed({ kind: 'childInstalled', spiIn: effect.child.spiIn });
        feed({ kind: 'close' });
      });
      return;
    case 'log':
      console.error(effect.level, effect.text);
      return;
    case 'closed':
      if (established) finish({ established: true, proposal: established.proposal });
      else {
        const { error } = effect.reason;
        finish({
          established: false,
          code: error?.code,
          reason: error?.reason,
          message: error?.message,
          offered: error?.offered,
        });
      }
      return;
  }
};

for (const [transport, port] of [
  ['ike', 500],
  ['natt', 4500],
]) {
  const socket = createSocket('udp4');
  sockets[transport] = socket;
  socket.on('message', (message, from) => {
    const bytes = Uint8Array.from(transport === 'natt' ? message.subarray(4) : message);
    feed({
      kind: 'datagram',
      bytes,
      from: { address: parseAddress(from.address), port: from.port },
      local: { address: local, port },
      transport,
    });
  });
  await new Promise((resolve) => socket.bind(port, options.local, resolve));
}
feed({ kind: 'start' });
