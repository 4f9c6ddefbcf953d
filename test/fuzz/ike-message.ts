// What is done with every fuzzed message: it is read in the clear, sealed with keys of ours and opened again (the way by which a peer
// that has the keys would send it), cut into fragments, and everything that understands parts of it gets them. Peers' bytes give
// errors; nothing throws. What can be read can be written, and reads back the same.
import { isDeepStrictEqual } from 'node:util';
import { checkAnswer, choose, offer } from '../../main/crypto/proposal.ts';
import { announcedIn, requestedAuthorities } from '../../main/ike/auth/announced.ts';
import { readConfiguration, requestedFamilies, requestsDomains } from '../../main/ike/configuration.ts';
import { formatIdentity } from '../../main/ike/identity.ts';
import { decodeMessage, encodeMessage, fragmentOf, HEADER_BYTES, type Message } from '../../main/ike/message.ts';
import { narrow } from '../../main/ike/narrow.ts';
import { payloadsOf } from '../../main/ike/payload/payload.ts';
import { decodePuzzle } from '../../main/ike/puzzle.ts';
import { decodeRedirect, redirectIn } from '../../main/ike/redirect.ts';
import { checkMessage, formOf, notifiesOf } from '../../main/ike/rules.ts';
import { openMessage, sealContent } from '../../main/ike/sealed.ts';
import { ticketIn } from '../../main/ike/ticket.ts';
import { unprotectedError } from '../../main/ike/unprotected.ts';
import { isWireError } from '../../main/wire/error.ts';
import { formatSelector } from '../../main/wire/selector.ts';
import { withoutRaw } from '../ike/payload/arbitrary.ts';
import { protectionFrom, RECORDED } from '../ike/recorded.ts';

const PROTECTIONS = RECORDED.slice(0, 3).map((recorded) => protectionFrom(recorded, true));
const OFFERED = offer(['aes256gcm16-prfsha256-ecp256', 'aes128-sha256-x25519'], 'ike', new Uint8Array(0));

/** Throws where anything does that must not. */
export function exerciseMessage(input: Uint8Array, random: () => number): void {
  unprotectedError(input);
  fragmentOf(input);
  const clear = decodeMessage(input);
  if (!isWireError(clear)) {
    understand(clear);
    rewrite(clear);
  }
  if (input.length <= HEADER_BYTES) return;
  const protection = PROTECTIONS[Math.floor(random() * PROTECTIONS.length)]!;
  const header = {
    SPIi: 1n,
    SPIr: 2n,
    exchange: isWireError(clear) ? (35 as const) : clear.header.exchange,
    initiator: true,
    response: random() < 0.5,
    messageId: 1,
  };
  const content = { first: input[16]!, bytes: input.subarray(HEADER_BYTES) };
  const iv = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const opened = openMessage(sealContent(header, content, protection, iv), protection);
  if (isWireError(opened)) {
    if (!opened.authentic) throw new Error('what we sealed does not open');
    return;
  }
  understand(opened);
  rewrite(opened);
}

function understand(message: Message): void {
  checkMessage(message);
  formOf(message);
  notifiesOf(message);
  announcedIn(message.payloads);
  requestedAuthorities(message.payloads);
  redirectIn(message.payloads);
  ticketIn(message.payloads);
  for (const { data } of payloadsOf(message.payloads, 'notify')) {
    decodeRedirect(data);
    decodePuzzle(data);
  }
  for (const cp of payloadsOf(message.payloads, 'cp')) {
    readConfiguration(cp);
    requestedFamilies(cp);
    requestsDomains(cp);
  }
  for (const { proposals } of payloadsOf(message.payloads, 'sa')) {
    checkAnswer(proposals, OFFERED);
    choose(proposals, ['aes256gcm16-prfsha256-ecp256'], 'ike');
    choose(proposals, ['aes256gcm16'], 'esp', { withoutKe: true });
  }
  for (const kind of ['tsi', 'tsr'] as const)
    for (const { selectors } of payloadsOf(message.payloads, kind)) {
      narrow(selectors, selectors);
      for (const selector of selectors) formatSelector(selector);
    }
  for (const kind of ['idi', 'idr'] as const)
    for (const { identity } of payloadsOf(message.payloads, kind)) {
      if (/\p{C}/u.test(formatIdentity(identity))) throw new Error('an identity with control characters');
      const bytes = identity.type === 'ipv4' ? 4 : identity.type === 'ipv6' ? 16 : undefined;
      if (bytes !== undefined && 'address' in identity && identity.address.length !== bytes)
        throw new Error(`an ${identity.type} identity of ${identity.address.length} bytes`);
    }
}

/** What was read can be written, and reads back the same. */
function rewrite(message: Message): void {
  const sealed = message.payloads.some(({ kind }) => kind === 'encrypted' || kind === 'fragment');
  if (sealed) return;
  const again = decodeMessage(encodeMessage(message.header, message.payloads));
  if (isWireError(again)) throw new Error(`what was read cannot be read again: ${again}`);
  const plain = ({ header, payloads }: Message) => [header, payloads.map(withoutRaw)];
  if (!isDeepStrictEqual(plain(again), plain(message)))
    throw new Error('what was read, written and read again has changed');
}
