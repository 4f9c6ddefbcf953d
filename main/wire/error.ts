// What is wrong with bytes that came from outside. Decoders return it, they never throw: a peer's packet is data, not an
// exception. It carries no stack, so that a flood of bad packets costs nothing more than the packets.

/**
 * - `truncated` the bytes end before the field does
 * - `length`    a length or count field disagrees with what is there
 * - `value`     a field holds something that its format forbids
 * - `version`   a protocol version that we do not speak
 * - `checksum`  a checksum does not verify
 * - `integrity` a cryptographic tag does not verify, or padding inside it is wrong
 */
export type WireErrorCode = 'truncated' | 'length' | 'value' | 'version' | 'checksum' | 'integrity';

export class WireError {
  readonly code: WireErrorCode;
  /** The format being decoded when it went wrong: "IKE header", "proposal". */
  readonly layer: string;
  /** Bytes from the start of the outermost input. */
  readonly offset: number;
  /** What should have been there, in words. */
  readonly expected: string;

  constructor(code: WireErrorCode, layer: string, offset: number, expected: string) {
    this.code = code;
    this.layer = layer;
    this.offset = offset;
    this.expected = expected;
  }

  toString(): string {
    return `${this.layer}: ${this.code} at byte ${this.offset}: expected ${this.expected}`;
  }
}

export function isWireError(value: unknown): value is WireError {
  return value instanceof WireError;
}
