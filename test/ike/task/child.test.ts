// The initiator's check of the gateway's answer about the CHILD SA, against answers that no honest gateway gives.
import { describe, expect, test } from 'vitest';
import { offer } from '../../../main/crypto/proposal.ts';
import type { Proposal } from '../../../main/crypto/transform.ts';
import type { ChildRequest } from '../../../main/ike/child-sa.ts';
import { IkeError } from '../../../main/ike/error.ts';
import { NotifyType } from '../../../main/ike/notify.ts';
import { type Payload, payloadOf } from '../../../main/ike/payload/payload.ts';
import { ChildOffer } from '../../../main/ike/task/child.ts';
import { formatSelector, type Selector } from '../../../main/wire/selector.ts';
import { CLIENT, GATEWAY, NAT, selector } from '../../sim/parties.ts';
import { saOf, US } from '../agreed.ts';

const SPI = Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd);
const tunnel: ChildRequest = {
  mode: 'tunnel',
  proposals: ['aes128gcm16', 'chacha20poly1305'],
  local: [selector('0.0.0.0/0', 47)],
  remote: [selector('10.77.0.0/16', 47)],
  localIsDynamic: true,
};
const transport: ChildRequest = {
  ...tunnel,
  mode: 'transport',
  local: [selector('0.0.0.0/0', 47)],
  remote: [selector(`${GATEWAY}/32`, 47)],
};

const offerOf = (request: ChildRequest, requestAddresses: readonly (4 | 6)[] = []) =>
  new ChildOffer({ request, requestAddresses, localAddress: US.address, spiIn: 0x11223344 });
const status = (type: number, data = new Uint8Array(0)): Payload => ({
  kind: 'notify',
  protocol: 0,
  type,
  spi: new Uint8Array(0),
  data,
});
const choice = (text = 'aes128gcm16', change: Partial<Proposal> = {}): Payload => ({
  kind: 'sa',
  proposals: [{ ...offer([text], 'esp', SPI)[0]!, ...change }],
});
const tsi = (...selectors: Selector[]): Payload => ({ kind: 'tsi', selectors });
const tsr = (...selectors: Selector[]): Payload => ({ kind: 'tsr', selectors });
const reply = (...attributes: { type: number; value: Uint8Array }[]): Payload => ({
  kind: 'cp',
  type: 'reply',
  attributes,
});
const address4 = (last: number) => ({ type: 1, value: Uint8Array.of(10, 99, 0, last) });

const GOOD = [choice(), tsi(selector('10.99.0.5', 47)), tsr(selector('10.77.0.1', 47))];
const codeOf = (outcome: ReturnType<ChildOffer['accept']>) => (outcome instanceof IkeError ? outcome.code : 'made');
const accept = (payloads: readonly Payload[], request = tunnel, addresses: readonly (4 | 6)[] = []) =>
  codeOf(offerOf(request, addresses).accept(payloads, saOf('initiator')));

test('builds the offer', () => {
  const payloads = offerOf(tunnel, [4, 6]).build();
  expect(payloads.map((p) => (p.kind === 'notify' ? p.type : p.kind))).toEqual([
    'cp',
    NotifyType.ESP_TFC_PADDING_NOT_SUPPORTED,
    'sa',
    'tsi',
    'tsr',
  ]);
  const sa = payloadOf(payloads, 'sa')!;
  expect(sa.proposals.map((p) => Buffer.from(p.spi).toString('hex'))).toEqual(['11223344', '11223344']);
  // Every attribute asks; APPLICATION_VERSION (7) is neither told nor asked for.
  expect(payloadOf(payloads, 'cp')!.attributes.map((a) => [a.type, a.value.length])).toEqual(
    [1, 2, 3, 13, 8, 10, 15, 25].map((type) => [type, 0]),
  );
  // A dynamic selector in transport mode is our own address.
  const inTransport = offerOf(transport).build();
  expect(payloadOf(inTransport, 'tsi')!.selectors.map(formatSelector)).toEqual([`${CLIENT}[47]`]);
  expect(inTransport[0]).toMatchObject({ type: NotifyType.USE_TRANSPORT_MODE });
});

test('key exchanges are left out of the offer: IKE_AUTH has none (RFC 7296 §1.2)', () => {
  const { proposals } = payloadOf(offerOf({ ...tunnel, proposals: ['aes128gcm16-x25519'] }).build(), 'sa')!;
  expect(proposals[0]!.transforms.map((t) => t.type)).toEqual([1, 5]);
});

describe('the answer', () => {
  test('is taken where it is good', () => {
    const made = offerOf(tunnel).accept(GOOD, saOf('initiator'));
    expect(made).toMatchObject({
      child: { spiIn: 0x11223344, spiOut: 0xaabbccdd, mode: 'tunnel', proposal: 'aes128gcm16' },
    });
    // The second proposal, with its number.
    expect(accept([choice('chacha20poly1305', { number: 2 }), GOOD[1]!, GOOD[2]!])).toBe('made');
  });

  test.each<[string, string, Payload[]]>([
    ['no SA', 'protocol', [GOOD[1]!, GOOD[2]!]],
    ['no TSi', 'protocol', [GOOD[0]!, GOOD[2]!]],
    ['nothing', 'protocol', []],
    ['a cipher that was not offered', 'protocol', [choice('aes256gcm16'), GOOD[1]!, GOOD[2]!]],
    ['a proposal number that was not offered', 'protocol', [choice('aes128gcm16', { number: 3 }), GOOD[1]!, GOOD[2]!]],
    ['a zero SPI', 'protocol', [choice('aes128gcm16', { spi: new Uint8Array(4) }), GOOD[1]!, GOOD[2]!]],
    ['a short SPI', 'protocol', [choice('aes128gcm16', { spi: Uint8Array.of(1, 2) }), GOOD[1]!, GOOD[2]!]],
    ['ESN that was not offered', 'protocol', [choice('aes128gcm16-esn'), GOOD[1]!, GOOD[2]!]],
    ['transport mode unasked', 'protocol', [status(NotifyType.USE_TRANSPORT_MODE), ...GOOD]],
    ['another TSr', 'traffic-selectors', [GOOD[0]!, GOOD[1]!, tsr(selector('10.78.0.0/16', 47))]],
    ['another protocol', 'traffic-selectors', [GOOD[0]!, tsi(selector('10.99.0.5', 6)), GOOD[2]!]],
    ['no selector', 'traffic-selectors', [GOOD[0]!, tsi(), GOOD[2]!]],
    ['TS_UNACCEPTABLE', 'traffic-selectors', [status(NotifyType.TS_UNACCEPTABLE)]],
    ['SINGLE_PAIR_REQUIRED', 'traffic-selectors', [status(NotifyType.SINGLE_PAIR_REQUIRED)]],
    ['NO_PROPOSAL_CHOSEN', 'no-child-proposal', [status(NotifyType.NO_PROPOSAL_CHOSEN)]],
    ['INTERNAL_ADDRESS_FAILURE', 'no-address', [status(NotifyType.INTERNAL_ADDRESS_FAILURE)]],
    ['FAILED_CP_REQUIRED', 'no-address', [status(NotifyType.FAILED_CP_REQUIRED)]],
    ['NO_ADDITIONAL_SAS', 'peer-error', [status(NotifyType.NO_ADDITIONAL_SAS)]],
    ['an error that nobody knows', 'peer-error', [status(8000), ...GOOD]],
  ])('with %s: %s', (_, code, payloads) => {
    expect(accept(payloads)).toBe(code);
  });

  test('wider than the offer is cut to it', () => {
    const answers = [
      [GOOD[1]!, tsr(selector('10.0.0.0/8', 47)), '10.77.0.0-10.77.255.255[47]'],
      [tsi(selector('10.99.0.5')), GOOD[2]!, '10.77.0.1[47]'],
      [GOOD[1]!, tsr(selector('10.77.0.1', 47), selector('8.8.8.8', 47)), '10.77.0.1[47]'],
    ] as const;
    for (const [local, remote, cut] of answers) {
      const made = offerOf(tunnel).accept([GOOD[0]!, local, remote], saOf('initiator'));
      if (made instanceof IkeError) throw made;
      expect(made.child.local.map(formatSelector)).toEqual(['10.99.0.5[47]']);
      expect(made.child.remote.map(formatSelector)).toEqual([cut]);
    }
  });

  test('with a status that nobody knows is good', () => {
    expect(accept([status(45_000), ...GOOD])).toBe('made');
  });

  test('has to bring an address where one was asked for, and selectors that contain it', () => {
    expect(accept(GOOD, tunnel, [4])).toBe('no-address');
    expect(accept([reply(), ...GOOD], tunnel, [4])).toBe('no-address');
    expect(accept([reply({ type: 1, value: Uint8Array.of(1) }), ...GOOD], tunnel, [4])).toBe('no-address');
    expect(accept([reply(address4(5)), ...GOOD], tunnel, [4])).toBe('made');
    expect(accept([reply(address4(6)), ...GOOD], tunnel, [4])).toBe('traffic-selectors');
    // Not dynamic: the profile's selectors stand.
    expect(accept([reply(address4(6)), ...GOOD], { ...tunnel, localIsDynamic: false }, [4])).toBe('made');
  });
});

describe('transport mode', () => {
  const answer = (local: string, remote: string): Payload[] => [
    status(NotifyType.USE_TRANSPORT_MODE),
    choice(),
    tsi(selector(local, 47)),
    tsr(selector(remote, 47)),
  ];
  const under = (nat: { local: boolean; remote: boolean }, payloads: Payload[]) =>
    offerOf(transport).accept(payloads, saOf('initiator', nat));

  test('without a NAT the answer is what we offered', () => {
    expect(codeOf(under({ local: false, remote: false }, answer(CLIENT, GATEWAY)))).toBe('made');
    expect(codeOf(under({ local: false, remote: false }, answer(NAT, GATEWAY)))).toBe('traffic-selectors');
  });

  test('behind a NAT the addresses are substituted before anything is checked (RFC 7296 §2.23.1)', () => {
    const made = under({ local: true, remote: true }, answer(NAT, '10.0.0.1'));
    if (made instanceof IkeError) throw made;
    expect(made.child.local.map(formatSelector)).toEqual([`${CLIENT}[47]`]);
    expect(made.child.remote.map(formatSelector)).toEqual([`${GATEWAY}[47]`]);
    expect(codeOf(under({ local: true, remote: false }, answer(NAT, '10.0.0.1')))).toBe('traffic-selectors');
    expect(codeOf(under({ local: true, remote: true }, answer('10.0.0.0/8', GATEWAY)))).toBe('traffic-selectors');
  });

  test('refused by silence about it', () => {
    expect(accept(answer(CLIENT, GATEWAY).slice(1), transport)).toBe('mode-refused');
  });
});
