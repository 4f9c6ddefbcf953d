// A payload of a type that we do not know. Skipped, or the whole message refused where the critical bit is set
// (RFC 7296 §2.5, §3.2).

export interface Unknown {
  readonly kind: 'unknown';
  readonly type: number;
  readonly critical: boolean;
  readonly data: Uint8Array;
}
