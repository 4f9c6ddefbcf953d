// What an exchange manager needs of an IKE SA with keys: its sealing, and its eye for repetitions that come in fragments.
import type { ExchangeHost } from './exchange.ts';
import type { Outbox } from './outbox.ts';
import type { IkeSa } from './sa.ts';

export const exchangeHost = (sa: IkeSa, outbox: Outbox): ExchangeHost => ({
  seal: (message) => sa.seal(message),
  send: (bytes, { to, transport } = { to: sa.remote, transport: sa.transport }) =>
    outbox.push({ kind: 'send', bytes, to, transport }),
  firstOf: (bytes) => sa.firstOf(bytes),
  verifies: (bytes) => sa.verifies(bytes),
});
