// What one end has come to know about an IKE SA: everything that its effects have said.
import type { ChildSa } from '../../main/ike/child-sa.ts';
import type { CloseReason, IkeEffect } from '../../main/ike/peer.ts';
import type { ResumptionTicket } from '../../main/ike/ticket.ts';
import type { Endpoint } from '../../main/wire/address.ts';

/** What one end knows about an IKE SA. */
export interface View {
  established: Extract<IkeEffect, { readonly kind: 'established' }> | undefined;
  closed: CloseReason | undefined;
  installed: ChildSa[];
  activations: ('now' | 'first-inbound' | 'never')[];
  removed: number[];
  expected: number[];
  cancelled: number[];
  moved: Endpoint[];
  moves: Extract<IkeEffect, { readonly kind: 'moveChild' }>[];
  keepalives: number;
  sent: number;
  /** So often the IKE SA was replaced. */
  rekeyed: number;
  refused: (string | undefined)[];
  reauthenticate: number;
  /** For resumption (RFC 5723), undefined where one was taken back. */
  tickets: (ResumptionTicket | undefined)[];
}

export const emptyView = (): View => ({
  established: undefined,
  closed: undefined,
  installed: [],
  activations: [],
  removed: [],
  expected: [],
  cancelled: [],
  moved: [],
  moves: [],
  keepalives: 0,
  sent: 0,
  rekeyed: 0,
  refused: [],
  reauthenticate: 0,
  tickets: [],
});
