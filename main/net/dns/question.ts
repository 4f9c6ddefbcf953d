// The question of a DNS message (RFC 1035 §4.1): enough to decide who is to be asked, and to tell an answer from a forgery.
//
// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
// |                      ID                       |
// |QR|   Opcode  |AA|TC|RD|RA|   Z    |   RCODE   |
// |  QDCOUNT  |  ANCOUNT  |  NSCOUNT  |  ARCOUNT  |   16 bits each
// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
// |         QNAME: labels, each behind its length, 0; QTYPE, QCLASS        |
import { isWireError, WireError } from '../../wire/error.ts';
import { Reader } from '../../wire/reader.ts';

const LAYER = 'DNS message';
const QUESTION = 'DNS question';
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;

export interface Question {
  readonly id: number;
  readonly response: boolean;
  /** Labels in lower case joined by dots; "" is the root. */
  readonly name: string;
  /** QNAME, QTYPE and QCLASS as they are on the wire, names in lower case: what an answer has to repeat. */
  readonly key: string;
}

/** Reads the header and the first question. A first question has nothing before it that a compressed name could point to. */
export function readQuestion(message: Uint8Array): Question | WireError {
  const reader = new Reader(message, LAYER);
  const id = reader.uint(2);
  const flags = reader.uint(2);
  const questions = reader.uint(2);
  const counts = reader.take(6);
  if (isWireError(id)) return id;
  if (isWireError(flags)) return flags;
  if (isWireError(questions)) return questions;
  if (isWireError(counts)) return counts;
  if (questions !== 1) return new WireError('value', LAYER, 4, `one question, got ${questions}`);
  const labels: string[] = [];
  for (let bytes = 1; ; ) {
    const length = reader.uint(1);
    if (isWireError(length)) return length;
    if (length === 0) break;
    bytes += length + 1;
    if (length > LONGEST_LABEL || bytes > LONGEST_NAME)
      return new WireError('length', QUESTION, reader.offset - 1, `labels of at most ${LONGEST_LABEL} bytes`);
    const label = reader.take(length);
    if (isWireError(label)) return label;
    labels.push(labelText(label));
  }
  const kind = reader.take(4);
  if (isWireError(kind)) return kind;
  const name = labels.join('.');
  return { id, response: (flags & 0x8000) !== 0, name, key: `${name} ${[...kind].join('.')}` };
}

/** A dot or anything unprintable in a label is escaped (RFC 4343 §2.1), so that it cannot pass for another name. */
function labelText(label: Uint8Array): string {
  let text = '';
  for (const byte of label)
    text +=
      byte <= 0x20 || byte >= 0x7f || byte === 0x2e || byte === 0x5c
        ? `\\${String(byte).padStart(3, '0')}`
        : String.fromCharCode(byte).toLowerCase();
  return text;
}

/** SERVFAIL for a query (RFC 1035 §4.1.1): the question, and nothing found out about it. */
export function failureOf(query: Uint8Array): Uint8Array {
  const answer = Uint8Array.from(query);
  answer[2] = (query[2]! & 0x79) | 0x80; // QR; opcode and RD as they were
  answer[3] = 0x82; // RA, RCODE 2
  // What is behind the question (EDNS) stays: counts and bytes agree as before.
  return answer;
}
