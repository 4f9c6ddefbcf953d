// The tables that seal and open fill: OUT_DESC and SIDE_DESC of layout.ts.
import {
  DESC_AUX,
  DESC_BYTES,
  DESC_CAPACITY,
  DESC_LENGTH,
  DESC_OFFSET,
  OUT_DESC,
  RESULT,
  RESULT_CONSUMED,
  RESULT_OUT,
  RESULT_SIDE,
  SIDE_DESC,
} from './layout';

export let outCount: u32 = 0;
export let sideCount: u32 = 0;

export function startOutputs(): void {
  outCount = 0;
  sideCount = 0;
}

@inline
function describe(entry: usize, offset: usize, length: u32, aux: u32): void {
  store<u32>(entry, <u32>offset, DESC_OFFSET);
  store<u32>(entry, 0, DESC_CAPACITY);
  store<u32>(entry, length, DESC_LENGTH);
  store<u32>(entry, aux, DESC_AUX);
}

@inline
export function addOut(offset: usize, length: u32, aux: u32): void {
  describe(OUT_DESC + outCount * DESC_BYTES, offset, length, aux);
  outCount++;
}

export function addSide(offset: usize, length: u32, aux: u32): void {
  describe(SIDE_DESC + sideCount * DESC_BYTES, offset, length, aux);
  sideCount++;
}

export function writeResult(consumed: u32): void {
  store<u32>(RESULT, consumed, RESULT_CONSUMED);
  store<u32>(RESULT, outCount, RESULT_OUT);
  store<u32>(RESULT, sideCount, RESULT_SIDE);
}
