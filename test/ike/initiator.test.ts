// The initiator against a real responder: what goes right, what is refused, and what a person is told about it.
import { describe, expect, test } from 'vitest';
import { createInitiator } from '../../main/ike/initiator.ts';
import type { InitiatorConfig } from '../../main/ike/initiator-config.ts';
import { decodeMessage, Exchange, encodeMessage, type Message } from '../../main/ike/message.ts';
import { NotifyType } from '../../main/ike/notify.ts';
import { payloadOf, payloadsOf } from '../../main/ike/payload/payload.ts';
import type { ResponderConfig } from '../../main/ike/responder-config.ts';
import { formatEndpoint, formatPrefix } from '../../main/wire/address.ts';
import { isWireError } from '../../main/wire/error.ts';
import { formatSelector } from '../../main/wire/selector.ts';
import { bytes, CLIENT, GATEWAY, initiatorConfig, NAT, selector } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';
import { type Datagram, Simulation } from '../sim/simulation.ts';
import { expectUp } from '../sim/up.ts';

const decoded = (datagram: Datagram | undefined): Message => {
  const message = decodeMessage(datagram?.bytes ?? new Uint8Array(0));
  if (isWireError(message)) throw new Error(message.toString());
  return message;
};
const notifyTypes = (datagram: Datagram | undefined): number[] =>
  payloadsOf(decoded(datagram).payloads, 'notify').map((n) => n.type);
const connect = (
  initiator: Partial<InitiatorConfig> = {},
  responder: Partial<ResponderConfig> = {},
  network: ConstructorParameters<typeof Simulation>[0] = {},
) => new Simulation({ ...network, initiator, responder }).connect();
const failure = (sim: Simulation) => {
  const { closed } = sim.client;
  if (closed?.by !== 'error') throw new Error(`not failed: ${JSON.stringify(closed)}`);
  return closed.error;
};

const TRANSPORT = {
  child: {
    mode: 'transport' as const,
    proposals: ['aes128gcm16'],
    local: [selector(`${CLIENT}/32`, 47)],
    remote: [selector(`${GATEWAY}/32`, 47)],
    localIsDynamic: true,
  },
  requestAddresses: [],
};

describe('a good start', () => {
  test('the order of effects, as types.ts promises', () => {
    const sim = new Simulation();
    const kinds: string[] = [];
    const handle = sim.initiator.handle.bind(sim.initiator);
    sim.initiator.handle = (event, now) => {
      const effects = handle(event, now);
      kinds.push(...effects.map((e) => (e.kind === 'step' ? `step ${e.step}` : e.kind)));
      return effects;
    };
    sim.connect();
    expect(kinds).toEqual([
      'step sa-init',
      'send',
      'timer',
      'step auth',
      'expectChild',
      'send',
      'timer',
      'established',
      'installChild',
      'step established',
      'timer',
    ]);
  });

  test('brings the configuration and narrows the dynamic selector to the assigned address', () => {
    const { client, peer } = connect();
    const { configuration, behindNat, remoteIdentity } = client.established!;
    expect(configuration.addresses.map(formatPrefix)).toEqual(['10.99.0.5/24']);
    expect(configuration.dns).toEqual([Uint8Array.of(10, 77, 0, 53)]);
    expect(configuration.subnets.map(formatPrefix)).toEqual(['10.77.0.0/16']);
    expect(configuration.applicationVersion).toBeUndefined();
    expect(remoteIdentity).toEqual({ type: 'fqdn', text: 'gateway.example.com' });
    expect(behindNat).toEqual({ local: false, remote: false });
    expect(client.installed[0]!.local.map(formatSelector)).toEqual(['10.99.0.5[47]']);
    expect(peer.installed[0]!.remote.map(formatSelector)).toEqual(['10.99.0.5[47]']);
  });

  test('a gateway that answers the whole offer is still narrowed to the assigned address', () => {
    const { client } = connect({}, { remote: 'any', local: [selector('10.77.0.0/16')] });
    expect(client.installed[0]!.local.map(formatSelector)).toEqual(['10.99.0.5[47]']);
  });

  test('IPv6 addresses', () => {
    const child = { ...initiatorConfig().child, local: [selector('::/0', 47)], remote: [selector('fd77::1', 47)] };
    const address = Uint8Array.from(selector('fd99::5').start);
    const { client } = connect(
      { child, requestAddresses: [6] },
      {
        local: [selector('fd77::/16')],
        lease: (_, families) =>
          families.includes(6) ? { addresses: [{ address, bits: 64 }], dns: [], subnets: [] } : undefined,
      },
    );
    expect(client.established!.configuration.addresses.map(formatPrefix)).toEqual(['fd99::5/64']);
    expect(client.installed[0]!.local.map(formatSelector)).toEqual(['fd99::5[47]']);
  });

  test('says nothing about program and version', () => {
    const { wire } = connect();
    for (const { bytes: b } of wire)
      expect(payloadsOf(decoded({ bytes: b } as Datagram).payloads, 'vendor')).toEqual([]);
  });

  test('without a NAT stays on UDP 500 and raw ESP', () => {
    const { wire, client } = connect();
    expect(wire.map((d) => d.transport)).toEqual(['ike', 'ike', 'ike', 'ike']);
    expect(client.installed[0]!.encapsulation).toBe('raw');
  });
});

describe('cookies and groups', () => {
  test('returns the cookie in front of an otherwise unchanged request', () => {
    const sim = connect({}, { cookieThreshold: 0 });
    const requests = sim.wire.filter((d) => d.direction === 'to-responder').map((d) => decoded(d));
    expect(notifyTypes(sim.wire[1])).toEqual([NotifyType.COOKIE]);
    expect(requests[1]!.payloads[0]).toMatchObject({ kind: 'notify', type: NotifyType.COOKIE });
    expect(requests[1]!.payloads.slice(1)).toEqual(requests[0]!.payloads);
    expect(requests[1]!.header).toEqual(requests[0]!.header);
    expectUp(sim);
  });

  test('changes to a group that it offered, with SPIi and Ni unchanged', () => {
    const sim = connect(
      { proposals: ['aes256gcm16-prfsha256-ecp256-x25519'] },
      { proposals: ['aes256gcm16-prfsha256-x25519'] },
    );
    expect(notifyTypes(sim.wire[1])).toEqual([NotifyType.INVALID_KE_PAYLOAD]);
    const [first, , second] = sim.wire.map((d, i) => (i < 3 ? decoded(d) : undefined));
    expect(payloadOf(first!.payloads, 'ke')!.method).toBe(19);
    expect(payloadOf(second!.payloads, 'ke')!.method).toBe(31);
    expect(payloadOf(second!.payloads, 'nonce')).toEqual(payloadOf(first!.payloads, 'nonce'));
    expect(payloadOf(second!.payloads, 'sa')).toEqual(payloadOf(first!.payloads, 'sa'));
    expect(second!.header.SPIi).toBe(first!.header.SPIi);
    expect(sim.client.established!.proposal).toBe('aes256gcm16-prfsha256-x25519');
  });

  test('cookie, then group, keeping the cookie (RFC 7296 §2.6.1)', () => {
    const sim = connect(
      { proposals: ['aes256gcm16-prfsha256-ecp256-x25519'] },
      { proposals: ['aes256gcm16-prfsha256-x25519'], cookieThreshold: 0 },
    );
    // COOKIE, INVALID_KE_PAYLOAD, answer, IKE_AUTH: four round trips.
    expect(sim.wire.length).toBe(8);
    expectUp(sim);
  });

  /** A forged answer to the first IKE_SA_INIT arrives before the real one. */
  const forged = (type: number, data: Uint8Array, times = 1) => {
    let left = times;
    return (datagram: Datagram): readonly Datagram[] => {
      if (datagram.direction !== 'to-responder' || left-- <= 0) return [datagram];
      const { header } = decoded(datagram);
      if (header.exchange !== Exchange.IKE_SA_INIT) return [datagram];
      const answer = encodeMessage({ ...header, initiator: false, response: true }, [
        { kind: 'notify', protocol: 0, type, spi: new Uint8Array(0), data },
      ]);
      const back = { from: datagram.to, to: datagram.from, transport: datagram.transport } as const;
      return [{ bytes: answer, ...back, direction: 'to-initiator' as const }, datagram];
    };
  };

  test('a group that was not offered is not taken, and a better answer still is', () => {
    const sim = connect({}, {}, { network: { touch: forged(NotifyType.INVALID_KE_PAYLOAD, Uint8Array.of(0, 2)) } });
    expectUp(sim);
    expect(sim.wire.filter((d) => d.direction === 'to-responder').length).toBe(2);
  });

  test.each([
    ['NO_PROPOSAL_CHOSEN', NotifyType.NO_PROPOSAL_CHOSEN],
    ['AUTHENTICATION_FAILED', NotifyType.AUTHENTICATION_FAILED],
    ['INVALID_SYNTAX', NotifyType.INVALID_SYNTAX],
    ['INVALID_MAJOR_VERSION', NotifyType.INVALID_MAJOR_VERSION],
    ['an unknown error', 8191],
    ['a status', 40_000],
  ])('a forged %s does not stop us (RFC 7296 §2.21.1)', (_, type) => {
    const sim = connect({}, {}, { network: { touch: forged(type, new Uint8Array(0)) } });
    expectUp(sim);
  });

  test('an answer to the request before the cookie makes AUTH fail: once, it starts again with another SPIi', () => {
    // The cookie overtakes the good answer, which covers an IKE_SA_INIT without it (RFC 7296 §2.15).
    const touch = forged(NotifyType.COOKIE, Uint8Array.of(1));
    const sim = connect({}, {}, { network: { touch } });
    expectUp(sim);
    expect(new Set(sim.wire.map((d) => decoded(d).header.SPIi)).size).toBe(2);
    expect(sim.client.expected.length).toBe(2);
    expect(sim.client.cancelled).toEqual([sim.client.expected[0]]);
    // A wrong secret is a wrong secret, also then.
    const wrong = connect(
      { credential: { kind: 'psk', secret: bytes('wrong') } },
      {},
      { network: { touch: forged(NotifyType.COOKIE, Uint8Array.of(1)) } },
    );
    expect(failure(wrong).code).toBe('refused-by-peer');
    expect(new Set(wrong.wire.map((d) => decoded(d).header.SPIi)).size).toBe(2);
  });

  test('forged cookies are taken a few times, then no more', () => {
    let n = 0;
    const touch = (datagram: Datagram): readonly Datagram[] =>
      datagram.direction === 'to-initiator'
        ? []
        : forged(NotifyType.COOKIE, Uint8Array.of(n++), 1)(datagram).filter((d) => d.direction === 'to-initiator');
    const sim = connect({}, {}, { network: { touch } });
    expect(failure(sim).code).toBe('protocol');
    const distinct = new Set(sim.wire.map((d) => Buffer.from(d.bytes).toString('hex')));
    expect(distinct.size).toBe(5);
  });

  test('a forged answer to IKE_AUTH in the clear does not stop us (RFC 7296 §2.21.2)', () => {
    const touch = (datagram: Datagram): readonly Datagram[] => {
      const { header } = decoded(datagram);
      if (datagram.direction !== 'to-responder' || header.exchange !== Exchange.IKE_AUTH) return [datagram];
      const answer = encodeMessage({ ...header, initiator: false, response: true }, [
        { kind: 'notify', protocol: 0, type: 24, spi: new Uint8Array(0), data: new Uint8Array(0) },
      ]);
      const back = { from: datagram.to, to: datagram.from, transport: datagram.transport } as const;
      return [{ bytes: answer, ...back, direction: 'to-initiator' as const }, datagram];
    };
    expectUp(connect({}, {}, { network: { touch } }));
    // … but is named as the cause where nothing better comes.
    const alone = (d: Datagram) => touch(d).filter((one) => one.direction === 'to-initiator');
    expect(failure(connect({}, {}, { network: { touch: alone } })).code).toBe('no-response');
    const authOnly = (d: Datagram) => (decoded(d).header.exchange === Exchange.IKE_AUTH ? alone(d) : [d]);
    expect(failure(connect({}, {}, { network: { touch: authOnly } })).code).toBe('refused-by-peer');
  });
});

describe('NAT', () => {
  test('a NAT in front of us: UDP 4500, encapsulation, keepalives', () => {
    const sim = connect({ keepaliveInterval: 20_000 }, {}, { network: { nat: true } });
    expect(sim.wire.map((d) => d.transport)).toEqual(['ike', 'ike', 'natt', 'natt']);
    expect(sim.client.established!.behindNat).toEqual({ local: true, remote: false });
    expect(sim.peer.established!.behindNat).toEqual({ local: false, remote: true });
    expect(sim.client.installed[0]!).toMatchObject({ encapsulation: 'udp' });
    expect(formatEndpoint(sim.client.installed[0]!.peer)).toBe(`${GATEWAY}:4500`);
    expect(formatEndpoint(sim.peer.installed[0]!.peer)).toBe(`${NAT}:61501`);
    expect(sim.client.keepalives).toBe(9); // connect() runs 200 s
    expect(sim.peer.keepalives).toBe(0);
  });

  test('encapsulation is forced by a false hash, without a NAT', () => {
    const sim = connect({ encapsulation: 'udp', keepaliveInterval: 20_000 });
    expect(sim.wire.map((d) => d.transport)).toEqual(['ike', 'ike', 'natt', 'natt']);
    expect(sim.client.established!.behindNat).toEqual({ local: false, remote: false });
    expect(sim.client.installed[0]!.encapsulation).toBe('udp');
    expect(sim.peer.installed[0]!.encapsulation).toBe('udp');
    expect(sim.client.keepalives).toBe(9);
  });

  test('the gateway forces it', () => {
    const sim = connect({}, { encapsulation: 'udp' });
    expect(sim.client.installed[0]!.encapsulation).toBe('udp');
    expect(sim.peer.installed[0]!.encapsulation).toBe('udp');
    expect(sim.wire[2]!.transport).toBe('natt');
  });

  test('transport mode: each end sees the addresses of its own side (RFC 7296 §2.23.1)', () => {
    const sim = connect(TRANSPORT, {}, { network: { nat: true } });
    const [ours] = sim.client.installed;
    const [theirs] = sim.peer.installed;
    expect(ours!.local.map(formatSelector)).toEqual([`${CLIENT}[47]`]);
    expect(ours!.remote.map(formatSelector)).toEqual([`${GATEWAY}[47]`]);
    expect(theirs!.remote.map(formatSelector)).toEqual([`${NAT}[47]`]);
    expect(theirs!.local.map(formatSelector)).toEqual([`${GATEWAY}[47]`]);
    expect([...ours!.keyIn, ...ours!.saltIn]).toEqual([...theirs!.keyOut, ...theirs!.saltOut]);
  });

  test('the gateway follows a NAT that gives us another port', () => {
    const sim = connect({}, {}, { network: { nat: true } });
    sim.rebind().tell({ kind: 'checkLiveness' }).run(1000);
    expect(sim.peer.moved.map(formatEndpoint)).toEqual([`${NAT}:61511`]);
    // Its own requests find us there.
    sim.tellGateway({ kind: 'checkLiveness', sa: sim.peerName }).run(60_000);
    expect(sim.peer.closed).toBeUndefined();
    expect(sim.client.moved).toEqual([]);
  });

  test('we do not follow anybody while behind a NAT ourselves', () => {
    const sim = connect({}, {}, { network: { nat: true } });
    const spiOut = sim.client.installed[0]!.spiOut;
    sim.tell({ kind: 'peerMoved', from: { address: Uint8Array.of(9, 9, 9, 9), port: 4500 } });
    expect(sim.client.moved, String(spiOut)).toEqual([]);
    // The gateway is told of authenticated ESP by its data plane.
    sim.tellGateway({ kind: 'peerMoved', sa: sim.peerName, from: { address: Uint8Array.of(9, 9, 9, 9), port: 1 } });
    expect(sim.peer.moved.map(formatEndpoint)).toEqual(['9.9.9.9:1']);
  });
});

describe('refusals, in words', () => {
  const told = (sim: Simulation) => {
    const { code, message, remedy, notify } = failure(sim);
    expect(remedy.length).toBeGreaterThan(20);
    return { code, message, notify: notify?.name };
  };

  test('no common IKE proposal', () => {
    const sim = connect({ proposals: ['aes128-sha256-modp2048', 'aes128gcm16-prfsha256-modp2048'] });
    expect(told(sim)).toEqual({
      code: 'no-ike-proposal',
      message:
        'the gateway accepts none of our IKE proposals (we offered aes128-sha256-modp2048, aes128gcm16-prfsha256-modp2048)',
      notify: 'NO_PROPOSAL_CHOSEN',
    });
    // The gateway knows both sides, and its log has them.
    expect(sim.log.find((line) => line.includes('no algorithms in common'))).toContain(
      'key-exchange: it offers modp2048; we accept x25519',
    );
  });

  test('a group that we do not offer, and what it is', () => {
    const group = { kind: 'notify' as const, protocol: 0, type: NotifyType.INVALID_KE_PAYLOAD, spi: new Uint8Array(0) };
    const sim: Simulation = new Simulation({
      network: {
        touch: (d) => {
          if (d.direction === 'to-initiator') return [];
          const { header } = decoded(d);
          const answer = { ...header, initiator: false, response: true };
          const refusal = encodeMessage(answer, [{ ...group, data: Uint8Array.of(0, 2) }]);
          sim.inject({ ...d, bytes: refusal, from: d.to, to: d.from, direction: 'to-initiator' });
          return [];
        },
      },
    });
    sim.connect();
    expect(told(sim)).toMatchObject({
      code: 'no-ike-proposal',
      message: expect.stringContaining('insists on modp1024'),
    });
    expect(failure(sim).disagreement?.accepted).toEqual({ 'key-exchange': 'modp1024' });
    expect(failure(sim).disagreement?.offered['key-exchange']).toBe('x25519');
  });

  test('our secret is wrong', () => {
    const sim = connect({ credential: { kind: 'psk', secret: bytes('wrong') } });
    expect(told(sim)).toMatchObject({ code: 'refused-by-peer', notify: 'AUTHENTICATION_FAILED' });
    expect(sim.client.cancelled).toEqual(sim.client.expected);
    expect([...sim.gateway.values()].map((v) => v.closed?.by)).toEqual(['error']);
  });

  test('our identity is unknown', () => {
    expect(told(connect({ identity: { type: 'fqdn', text: 'mallory' } }))).toMatchObject({
      code: 'refused-by-peer',
      message: 'the gateway refused our authentication as mallory',
    });
  });

  test('the gateway has another name than the profile expects', () => {
    const sim = connect({ remoteIdentity: { type: 'fqdn', text: 'other.example.com' } });
    expect(told(sim).code).toBe('peer-identity-mismatch');
    // RFC 7296 §2.21.2: it is told, and gives up its half of the SA.
    expect(sim.peer.closed).toMatchObject({ by: 'error', error: { code: 'refused-by-peer' } });
    expect(sim.peer.removed.length).toBe(1);
  });

  test('no common ESP proposal: the IKE SA is deleted politely', () => {
    const sim = connect({}, { childProposals: ['aes256gcm16-esn'] });
    expect(told(sim)).toMatchObject({ code: 'no-child-proposal', notify: 'NO_PROPOSAL_CHOSEN' });
    expect(sim.peer.closed).toEqual({ by: 'peer' });
    expect(sim.client.installed).toEqual([]);
    expect(sim.client.cancelled).toEqual(sim.client.expected);
    expect(sim.client.established).toBeUndefined();
  });

  test('no traffic selectors in common', () => {
    const sim = connect({}, { local: [selector('10.78.0.0/16')] });
    expect(told(sim)).toMatchObject({ code: 'traffic-selectors', notify: 'TS_UNACCEPTABLE' });
    expect(failure(sim).message).toContain('10.77.0.1[47]');
    expect(sim.peer.closed).toEqual({ by: 'peer' });
  });

  test('the address pool is exhausted', () => {
    expect(told(connect({}, { lease: () => undefined }))).toMatchObject({
      code: 'no-address',
      notify: 'INTERNAL_ADDRESS_FAILURE',
    });
  });

  test('the gateway insists on an address', () => {
    expect(told(connect({ requestAddresses: [] }))).toMatchObject({ code: 'no-address', notify: 'FAILED_CP_REQUIRED' });
  });

  test('the gateway does not do transport mode, but would do tunnel mode', () => {
    const sim = connect(TRANSPORT, { modes: ['tunnel'], remote: 'any' });
    expect(told(sim).code).toBe('mode-refused');
    expect(sim.peer.closed).toEqual({ by: 'peer' });
    expect(sim.peer.removed.length).toBe(1);
  });

  test('the gateway does neither', () => {
    expect(told(connect(TRANSPORT, { modes: [] })).code).toBe('no-child-proposal');
  });

  test('nobody answers', () => {
    const sim = connect({}, {}, { network: { loss: 1 } });
    expect(told(sim)).toMatchObject({ code: 'no-response' });
    expect(failure(sim).message).toContain(`${GATEWAY}:500`);
    expect(new Set(sim.wire.map((d) => Buffer.from(d.bytes).toString('hex'))).size).toBe(1);
    expect(sim.wire.length).toBe(8);
  });

  test('the data plane cannot install the SA', () => {
    const sim = connect();
    sim.tell({ kind: 'childInstalled', spiIn: sim.client.installed[0]!.spiIn, error: 'no memory' }).run(10_000);
    expect(told(sim).code).toBe('data-plane');
    expect(sim.peer.closed).toEqual({ by: 'peer' });
  });

  test('a proposal with a typing error shows when the initiator is made', () => {
    const make = (change: Partial<InitiatorConfig>) => () =>
      createInitiator(initiatorConfig(change), { random: seededBytes('x') });
    expect(make({ proposals: ['aes256gmc16-prfsha256-x25519'] })).toThrow(
      expect.objectContaining({
        name: 'IkeError',
        code: 'configuration',
        remedy: expect.stringContaining('aes256gcm16'),
      }),
    );
    expect(make({ child: { ...initiatorConfig().child, proposals: ['nonsense'] } })).toThrow(
      expect.objectContaining({ code: 'configuration' }),
    );
  });

  test('the secret is in no word that we say', () => {
    const secret = 'a secret that is easy to find';
    const sim = connect({ credential: { kind: 'psk', secret: bytes(secret) } });
    expect(JSON.stringify([sim.log, sim.client, [...sim.gateway]])).not.toContain(secret);
  });
});

describe('closing', () => {
  test('before the start, and while IKE_SA_INIT waits: at once', () => {
    const idle = new Simulation().tell({ kind: 'close' });
    expect(idle.client.closed).toEqual({ by: 'us' });
    const waiting = new Simulation({ network: { loss: 1 } }).tell({ kind: 'start' }).run(700).tell({ kind: 'close' });
    expect(waiting.client.closed).toEqual({ by: 'us' });
    expect(waiting.run().wire.length).toBe(2);
  });

  test('while IKE_AUTH waits: what the gateway has made meanwhile is deleted', () => {
    const sim = new Simulation().tell({ kind: 'start' });
    sim.run(1000, () => sim.client.expected.length > 0);
    sim.tell({ kind: 'close' }).run(20_000);
    expect(sim.client.closed).toEqual({ by: 'us' });
    expect(sim.client.installed).toEqual([]);
    expect(sim.client.cancelled).toEqual(sim.client.expected);
    expect(sim.peer.closed).toEqual({ by: 'peer' });
  });

  test('while IKE_AUTH waits and nobody answers: soon', () => {
    const touch = (d: Datagram) => (decoded(d).header.exchange === Exchange.IKE_AUTH ? [] : [d]);
    const sim = new Simulation({ network: { touch } }).tell({ kind: 'start' });
    sim.run(1000, () => sim.client.expected.length > 0);
    sim.tell({ kind: 'close' }).run(1500);
    expect(sim.client.closed).toEqual({ by: 'us' });
  });

  test('an established SA: traffic stops first, then Delete, and both ends are closed', () => {
    const sim = connect();
    const [child] = sim.client.installed;
    sim.tell({ kind: 'close' });
    expect(sim.client.removed).toEqual([child!.spiIn]);
    expect(sim.client.closed).toBeUndefined();
    sim.run(1000);
    expect(sim.client.closed).toEqual({ by: 'us' });
    expect(sim.peer.closed).toEqual({ by: 'peer' });
    expect(sim.tell({ kind: 'start' }).initiator.handle({ kind: 'close' }, sim.now)).toEqual([]);
  });

  test('a gateway that does not answer the Delete is not waited for long', () => {
    let deaf = false;
    const sim = new Simulation({ network: { touch: (d) => (deaf ? [] : [d]) } }).connect();
    deaf = true;
    sim.tell({ kind: 'close' }).run(3600);
    expect(sim.client.closed).toEqual({ by: 'us' });
  });
});
