// A full packet as it lies on the wire, from the engine's arithmetic: the engine lists what surrounds the payload, and the
// payload last; on the wire the trailer, the padding and the integrity check value follow it (RFC 4303 §2).
import type { MtuPart, MtuView } from '../../../main/ipc/contract.ts';

/** `kept`: room that a fixed value under the computed one leaves. */
export type SegmentKind = MtuPart['kind'] | 'kept';

export interface Segment {
  readonly kind: SegmentKind;
  readonly bytes: number;
}

const ORDER: readonly SegmentKind[] = [
  'outer-ip',
  'udp',
  'tcp',
  'esp',
  'iv',
  'gre-delivery',
  'gre',
  'payload',
  'padding',
  'esp-trailer',
  'icv',
  'kept',
  'unused',
];

/** Parts of one kind together, in the order of the wire; what has no bytes is left out. Their sum is the parts' sum. */
export function segmentsOf({ parts, value, mode }: Pick<MtuView, 'parts' | 'value' | 'mode'>): readonly Segment[] {
  const sums = new Map<SegmentKind, number>();
  const add = (kind: SegmentKind, bytes: number): void => {
    sums.set(kind, (sums.get(kind) ?? 0) + bytes);
  };
  for (const { kind, bytes } of parts) {
    // A fixed value under what fits leaves room; one above it is not on the path, and is warned of elsewhere.
    if (kind === 'payload' && mode === 'fixed' && value < bytes) {
      add('payload', value);
      add('kept', bytes - value);
    } else add(kind, bytes);
  }
  return ORDER.flatMap((kind) => {
    const bytes = sums.get(kind) ?? 0;
    return bytes > 0 ? [{ kind, bytes }] : [];
  });
}

export const totalOf = (segments: readonly Segment[]): number => segments.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes that are neither the payload nor free. */
export const overheadOf = (segments: readonly Segment[]): number =>
  totalOf(segments.filter(({ kind }) => kind !== 'payload' && kind !== 'kept'));
