import { expect, test } from 'vitest';
import { ExchangeManager, type Request } from '../../main/ike/exchange.ts';
import { whole } from '../../main/ike/fragment.ts';
import { Exchange } from '../../main/ike/message.ts';

const POLICY = { first: 100, factor: 2, most: 300, tries: 4 };

/** A host that writes messages as text and gives every sealing another number, so that sealing twice would show. */
function manager(first = { ours: 0, theirs: 0 }) {
  const sent: string[] = [];
  let sealed = 0;
  const host = {
    seal: (m: { messageId: number; response: boolean }) =>
      whole(new TextEncoder().encode(`${m.response ? 'response' : 'request'} ${m.messageId} #${++sealed}`)),
    send: (bytes: Uint8Array) => void sent.push(new TextDecoder().decode(bytes)),
  };
  return { manager: new ExchangeManager<Request>(host, POLICY, first), sent };
}

const request = (name: string): Request => ({ name, exchange: Exchange.INFORMATIONAL, build: () => [] });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('one request at a time, in order, with rising IDs', () => {
  const { manager: m, sent } = manager({ ours: 5, theirs: 0 });
  m.enqueue(request('a'), 0);
  m.enqueue(request('b'), 0);
  expect(sent).toEqual(['request 5 #1']);
  expect(m.inFlight?.name).toBe('a');
  expect([m.awaits(4), m.awaits(5), m.awaits(6)]).toEqual([false, true, false]);
  m.complete(10);
  expect(sent).toEqual(['request 5 #1', 'request 6 #2']);
  expect(m.awaits(5)).toBe(false);
  m.complete(20);
  expect(m.idle).toBe(true);
  expect(m.deadline).toBeNull();
});

test('retransmits the same bytes with back-off, up to the most, then gives up', () => {
  const { manager: m, sent } = manager();
  m.enqueue(request('a'), 1000);
  const instants: number[] = [];
  for (let now = 1000; ; now += 10) {
    const outcome = m.tick(now);
    if (outcome === 'sent') instants.push(now);
    if (outcome === 'exhausted') {
      instants.push(now);
      break;
    }
    expect(m.deadline).toBeGreaterThan(now);
  }
  // 100, 200, then 300 at most; the last sending waits as well.
  expect(instants).toEqual([1100, 1300, 1600, 1900]);
  expect(sent).toEqual(Array(4).fill('request 0 #1'));
});

test('rebuilds the request in flight under its own ID', () => {
  const { manager: m, sent } = manager();
  expect(() => m.rebuild(request('a'), 0)).toThrow('no request');
  m.enqueue(request('a'), 0);
  m.rebuild(request('a'), 50);
  expect(sent).toEqual(['request 0 #1', 'request 0 #2']);
  expect(m.deadline).toBe(150);
  expect(new TextDecoder().decode(m.inFlightBytes)).toBe('request 0 #2');
});

test('answers a repeated request with the cached bytes, and only the very same request', () => {
  const { manager: m, sent } = manager({ ours: 0, theirs: 3 });
  expect(m.classify(3, bytes('x'))).toBe('new');
  // Not answered yet: the first copy could not be authenticated.
  expect(m.classify(3, bytes('x'))).toBe('new');
  m.respond(Exchange.INFORMATIONAL, bytes('x'), []);
  expect(m.classify(3, bytes('x'))).toBe('repeated');
  expect(sent).toEqual(['response 3 #1', 'response 3 #1']);
  expect(m.classify(3, bytes('y'))).toBe('stale');
  expect(m.classify(2, bytes('x'))).toBe('stale');
  expect(m.classify(5, bytes('x'))).toBe('stale');
  expect(m.classify(4, bytes('z'))).toBe('new');
  m.respond(Exchange.INFORMATIONAL, bytes('z'), []);
  expect(m.classify(3, bytes('x'))).toBe('stale');
  expect(sent.length).toBe(3);
});

test('the last word is sent once and never again', () => {
  const { manager: m, sent } = manager();
  m.enqueue(request('a'), 0);
  m.enqueue(request('b'), 0);
  m.sendLast(request('c'));
  expect(sent).toEqual(['request 0 #1', 'request 1 #2']);
  expect(m.tick(100_000)).toBe('quiet');
  expect(m.idle).toBe(true);
});

test('the end of the message IDs is seen long before it comes, in either direction', () => {
  const near = (ours: number, theirs: number) => manager({ ours, theirs }).manager.nearsEnd;
  expect(near(0, 0)).toBe(false);
  expect(near(0xfffe_0000, 0xfffe_0000)).toBe(false);
  expect(near(0xffff_0000, 0)).toBe(true);
  expect(near(0, 0xffff_0000)).toBe(true);
});

test('message IDs do not wrap', () => {
  const { manager: m } = manager({ ours: 0xffff_fffe, theirs: 0 });
  m.enqueue(request('a'), 0);
  m.complete(0);
  expect(() => m.enqueue(request('b'), 0)).toThrow('used up');
});
