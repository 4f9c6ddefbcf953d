// Two IKE SAs with the same keys, as IKE_SA_INIT would have left them, for tests that play one end by hand.
import { parseProposal } from '../../main/crypto/proposal.ts';
import { ikeSuite } from '../../main/crypto/suite.ts';
import type { ChildSa } from '../../main/ike/child-sa.ts';
import { IkeSa, type Role } from '../../main/ike/sa.ts';
import { CLIENT, endpoint, GATEWAY, selector } from '../sim/parties.ts';
import { seededBytes } from '../sim/random.ts';

export const US = endpoint(CLIENT, 4500);
export const THEM = endpoint(GATEWAY, 4500);

export function saOf(role: Role, nat = { local: false, remote: false }, traversal = false): IkeSa {
  const bytes = seededBytes('established');
  const suite = ikeSuite(parseProposal('aes128gcm16-prfsha256-x25519', 'ike'));
  const [Ni, Nr, sharedSecret] = [bytes(32), bytes(32), bytes(32)];
  return new IkeSa(
    {
      role,
      SPIi: 1n,
      SPIr: 2n,
      suite,
      Ni,
      Nr,
      sharedSecret,
      realMessage1: bytes(100),
      realMessage2: bytes(120),
      nat,
      traversal,
      encapsulation: 'udp',
      local: role === 'initiator' ? US : THEM,
      remote: role === 'initiator' ? THEM : US,
      transport: 'natt',
    },
    seededBytes(`iv ${role}`),
  );
}

/** A CHILD SA over it, in tunnel mode, whose keys nobody looks at. */
export const childOf = (spiIn: number, spiOut: number, encapsulation: ChildSa['encapsulation']): ChildSa => ({
  spiIn,
  spiOut,
  mode: 'tunnel',
  cipher: 'aes-gcm-16',
  proposal: 'aes128gcm16',
  keyIn: new Uint8Array(16),
  saltIn: new Uint8Array(4),
  keyOut: new Uint8Array(16),
  saltOut: new Uint8Array(4),
  esn: false,
  local: [selector('10.99.0.5/32')],
  remote: [selector('10.77.0.0/16')],
  encapsulation,
  peer: THEM,
});
