// The blocks that a DER value consists of, as they came: what was signed must be checked byte by byte, and a list of revoked
// certificates is too long to decode it all (asn1js makes half a dozen objects for each). Tags and lengths are read by asn1js.
import { lib } from './libraries.ts';

export interface Block {
  /** The identifier octet; blocks with a tag number above 30 do not occur in what we read. */
  readonly tag: number;
  /** All of it, and its content; views. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

export const TAG = { integer: 0x02, bitString: 0x03, sequence: 0x30, context0: 0xa0 } as const;

/** The block at the start of the bytes; undefined where they end before it does, or where its length is not definite (not DER). */
export function firstBlock(bytes: Uint8Array): Block | undefined {
  const [tag] = bytes;
  const { idBlock, lenBlock } = new lib.ber.BaseBlock();
  const lengthAt = idBlock.fromBER(bytes, 0, bytes.length);
  if (tag === undefined || lengthAt !== 1) return undefined;
  const contentAt = lenBlock.fromBER(bytes, lengthAt, bytes.length - lengthAt);
  if (contentAt < 0 || lenBlock.error || lenBlock.isIndefiniteForm) return undefined;
  const end = contentAt + lenBlock.length;
  if (end > bytes.length) return undefined;
  return { tag, bytes: bytes.subarray(0, end), content: bytes.subarray(contentAt, end) };
}

/** The one block that the bytes are, nothing behind it. */
export function onlyBlock(bytes: Uint8Array): Block | undefined {
  const block = firstBlock(bytes);
  return block && block.bytes.length === bytes.length ? block : undefined;
}

/** Every block of a content; undefined where it does not consist of whole blocks. */
export function blocksOf(content: Uint8Array): readonly Block[] | undefined {
  const blocks: Block[] = [];
  for (let rest = content; rest.length > 0; ) {
    const block = firstBlock(rest);
    if (!block) return undefined;
    blocks.push(block);
    rest = rest.subarray(block.bytes.length);
  }
  return blocks;
}
