// Sessions of two strongSwan daemons, recorded with their keys: what a peer that we did not write puts on the wire.
// test/vectors/ike-strongswan.json says how they were set up.
import { readFileSync } from 'node:fs';
import { type IkeSuite, ikeSuite } from '../../main/crypto/suite.ts';
import { decodeMessage, type Message } from '../../main/ike/message.ts';
import { payloadOf } from '../../main/ike/payload/payload.ts';
import { Protection } from '../../main/ike/protection.ts';
import { openMessage } from '../../main/ike/sealed.ts';
import { isWireError } from '../../main/wire/error.ts';
import { hex } from '../crypto/hex.ts';

interface RecordedMessage {
  /** charon's own summary: "IKE_AUTH request 1 [ IDi AUTH … ]". */
  readonly contents: string;
  readonly bytes: Uint8Array;
}

export interface Recorded {
  readonly selected: string;
  readonly suite: IkeSuite;
  readonly keys: Readonly<Record<string, Uint8Array>>;
  /** Key and salt of the first CHILD SA, from the initiator and from the responder. */
  readonly child: { readonly initiator: Uint8Array; readonly responder: Uint8Array };
  readonly messages: readonly RecordedMessage[];
}

interface File {
  readonly selected: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly child: { readonly initiator: string; readonly responder: string };
  readonly messages: readonly { readonly contents: string; readonly hex: string }[];
}

const file: readonly File[] = JSON.parse(
  readFileSync(new URL('../vectors/ike-strongswan.json', import.meta.url), 'utf8'),
);

export const RECORDED: readonly Recorded[] = file.map(({ selected, keys, child, messages }) => {
  const bytes = messages.map((message) => ({ contents: message.contents, bytes: hex(message.hex) }));
  const answer = decodeMessage(bytes[1]!.bytes);
  if (isWireError(answer)) throw answer;
  const sa = payloadOf(answer.payloads, 'sa');
  return {
    selected,
    suite: ikeSuite(sa!.proposals[0]!.transforms),
    keys: Object.fromEntries(Object.entries(keys).map(([name, value]) => [name, hex(value)])),
    child: { initiator: hex(child.initiator), responder: hex(child.responder) },
    messages: bytes,
  };
});

/** What protects messages from the initiator, or from the responder. */
export function protectionFrom(recorded: Recorded, initiator: boolean): Protection {
  const { suite, keys } = recorded;
  const none = new Uint8Array(0);
  return initiator
    ? new Protection(suite.encr, suite.integ, keys.SK_ei!, keys.SK_ai ?? none)
    : new Protection(suite.encr, suite.integ, keys.SK_er!, keys.SK_ar ?? none);
}

/** Message `index` of the session, opened where it is sealed. Requests and responses alternate. */
export function read(recorded: Recorded, index: number): Message {
  const { bytes } = recorded.messages[index]!;
  const message = index < 2 ? decodeMessage(bytes) : openMessage(bytes, protectionFrom(recorded, index % 2 === 0));
  if (isWireError(message)) throw new Error(String(message));
  return message;
}
