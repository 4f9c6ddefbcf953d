// A scripted IkePeer: goes through the effects of a good start in the order of main/ike/types.ts, talking to a scripted
// gateway in words instead of IKE messages. What the gateway does is the test's choice.

import type { ChildSa } from '../../../main/ike/child-sa.ts';
import { IkeError, type IkeErrorCode } from '../../../main/ike/error.ts';
import type { InitiatorConfig } from '../../../main/ike/initiator-config.ts';
import type { IkeEffect, IkeEvent, IkePeer } from '../../../main/ike/peer.ts';
import type { Address, Prefix } from '../../../main/wire/address.ts';

export const word = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export interface PeerScript {
  /** Error that ends the key exchange at this step. */
  readonly refuse?: { readonly at: 'sa-init' | 'auth'; readonly code: IkeErrorCode };
  readonly encapsulation?: 'udp' | 'raw';
  readonly assigned?: readonly Prefix[];
  readonly subnets?: readonly Prefix[];
  readonly dns?: readonly Address[];
  /** Traffic selectors as the gateway narrows them; the request's own by default. */
  readonly narrowed?: Partial<Pick<ChildSa, 'local' | 'remote'>>;
  readonly cipher?: ChildSa['cipher'];
  /** The gateway supports MOBIKE. */
  readonly mobike?: boolean;
}

export interface ScriptedPeer extends IkePeer {
  readonly config: InitiatorConfig;
  readonly events: IkeEvent[];
  /** The gateway's own doing; effects are carried out with the next event (a timer at once). */
  inject(...effects: IkeEffect[]): void;
  makeChild(): ChildSa;
}

let spis = 0x1000;

export function scriptedPeer(config: InitiatorConfig, script: PeerScript = {}): ScriptedPeer {
  const events: IkeEvent[] = [];
  const injected: IkeEffect[] = [];
  const natt = { address: config.remote.address, port: config.remoteNattPort };
  let phase: 'new' | 'sa-init' | 'auth' | 'up' | 'closing' | 'over' = 'new';
  let spiIn = 0;
  let sendings = 0;
  let closings = 0;

  const failed = (code: IkeErrorCode): IkeEffect[] => {
    phase = 'over';
    const error = new IkeError({ code, message: `scripted: ${code}.`, remedy: 'Scripted remedy.' });
    return [{ kind: 'closed', reason: { by: 'error', error } }];
  };

  function makeChild(): ChildSa {
    const mine = spiIn || ++spis;
    spiIn = 0;
    const secret = (seed: number, length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => (((mine * 31 + seed * 7 + i) & 0xff) % 255) + 1).map((byte, i) =>
        i < 4 ? ((mine >>> (8 * i)) & 0xff) ^ seed || 1 : byte,
      );
    const encapsulation = script.encapsulation ?? (config.encapsulation === 'auto' ? 'raw' : config.encapsulation);
    const assigned = script.assigned?.[0];
    const local =
      config.child.localIsDynamic && assigned
        ? config.child.local.map((one) =>
            one.start.length === assigned.address.length
              ? { ...one, start: assigned.address, end: assigned.address }
              : one,
          )
        : config.child.local;
    return {
      spiIn: mine,
      spiOut: mine + 0x100000,
      mode: config.child.mode,
      cipher: script.cipher ?? 'aes-gcm-16',
      proposal: 'aes128gcm16',
      keyIn: secret(1, 16),
      saltIn: secret(2, 4),
      keyOut: secret(3, 16),
      saltOut: secret(4, 4),
      esn: false,
      local: script.narrowed?.local ?? local,
      remote: script.narrowed?.remote ?? config.child.remote,
      encapsulation,
      peer: encapsulation !== 'raw' ? natt : { address: config.remote.address, port: 0 },
    };
  }

  function retransmit(now: number): IkeEffect[] {
    const { first, factor, most, tries } = config.retransmission;
    if (sendings >= tries) return failed('no-response');
    const wait = Math.min(most, first * factor ** sendings);
    sendings++;
    const ike = phase === 'sa-init';
    return [
      {
        kind: 'send',
        bytes: word(phase === 'closing' ? 'delete' : phase),
        to: ike ? config.remote : natt,
        transport: ike ? 'ike' : 'natt',
      },
      { kind: 'timer', at: now + wait },
    ];
  }

  function answer(event: IkeEvent, now: number): IkeEffect[] {
    if (phase === 'over') return [];
    switch (event.kind) {
      case 'start':
        phase = 'sa-init';
        return [{ kind: 'step', step: 'sa-init' }, ...retransmit(now)];
      case 'datagram': {
        const text = textOf(event.bytes);
        if (text === 'sa-init ok' && phase === 'sa-init') {
          if (script.refuse?.at === 'sa-init') return failed(script.refuse.code);
          phase = 'auth';
          sendings = 0;
          spiIn = ++spis;
          return [{ kind: 'step', step: 'auth' }, { kind: 'expectChild', spiIn }, ...retransmit(now)];
        }
        if (text === 'auth ok' && phase === 'auth') {
          if (script.refuse?.at === 'auth') return failed(script.refuse.code);
          phase = 'up';
          return [
            { kind: 'timer', at: config.livenessInterval > 0 ? now + config.livenessInterval : null },
            {
              kind: 'established',
              proposal: 'aes256gcm16-prfsha256-ecp256',
              local: config.localNatt,
              remote: natt,
              remoteIdentity: { type: 'fqdn', text: 'gateway.example.com' },
              behindNat: { local: true, remote: false },
              mobike: script.mobike,
              configuration: {
                addresses: script.assigned ?? [],
                dns: script.dns ?? [],
                subnets: script.subnets ?? [],
                applicationVersion: undefined,
              },
            },
            { kind: 'installChild', activate: 'now', child: makeChild() },
            { kind: 'step', step: 'established' },
          ];
        }
        if (text === 'delete') {
          phase = 'over';
          return [{ kind: 'closed', reason: { by: 'peer' } }];
        }
        if (text === 'delete ok' && phase === 'closing') {
          phase = 'over';
          return [{ kind: 'closed', reason: { by: 'us' } }];
        }
        if (text === 'dead') return failed('no-response');
        return [];
      }
      case 'timer':
        return phase === 'sa-init' || phase === 'auth' || phase === 'closing' ? retransmit(now) : [];
      case 'close':
        if (phase === 'up' || phase === 'auth') {
          phase = 'closing';
          sendings = 0;
          closings++;
          if (closings > 1) throw new Error('closed twice');
          return retransmit(now);
        }
        phase = 'over';
        return [{ kind: 'closed', reason: { by: 'us' } }];
      case 'childInstalled':
        return event.error && phase === 'up' ? failed('data-plane') : [];
      case 'inboundTraffic':
      case 'peerMoved':
      case 'checkLiveness':
      case 'answer':
      case 'childLimit':
      case 'childActive':
      case 'addressesChanged':
      case 'deleteChild':
      case 'redirect':
      case 'rekey':
        return [];
    }
  }

  return {
    config,
    events,
    inject: (...effects) => injected.push(...effects),
    makeChild,
    handle(event, now) {
      events.push(event);
      return [...answer(event, now), ...injected.splice(0)];
    },
  };
}
