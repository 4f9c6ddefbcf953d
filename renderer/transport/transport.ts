// How the interface reaches an engine: one attempt at a client of the contract. The link (client/link.ts) attempts again
// when it ends.
//
//   browser    websocket.ts   the loopback server of `culvert ui`
//   Electron   bridge.ts      the preload script's window.culvert
//   tests      the contract's in-memory engine
import type { ContractClient } from '../../main/ipc/contract.ts';

/**
 * One attempt; resolves once messages may be sent. Rejects with ContractError, where `ipc/no-permission` and
 * `ipc/contract-version` mean that trying again would not help.
 */
export type OpenClient = () => Promise<ContractClient>;
