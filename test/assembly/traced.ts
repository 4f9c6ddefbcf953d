// A build of the packet core that tells on itself: every condition that is branched or selected on, every address that is read or
// written, and every operand of a division go into one hash, in order. Two runs that differ in secrets only and have the same hash did the
// same things in the same order at the same places: what "constant time" means for WebAssembly, whose single instructions take the
// time that their operation takes.
//
// The text form that asc writes has one instruction a line, so instrumenting is adding a call in front of some lines. The hash
// lies in linear memory where the core has nothing (assembly/layout.ts: a null guard).
import wabtModule from 'wabt';

/** Two u32 of the hash, then how many things went into it. */
export const TRACE = 16;
const COUNT = TRACE + 8;

const HELPERS = `
 (func $trace (param i32) (result i32)
  i32.const ${TRACE}
  i32.const ${TRACE}
  i64.load
  local.get 0
  i64.extend_i32_u
  i64.xor
  i64.const 0x100000001b3
  i64.mul
  i64.const 29
  i64.rotl
  i64.store
  i32.const ${COUNT}
  i32.const ${COUNT}
  i64.load
  i64.const 1
  i64.add
  i64.store
  local.get 0)
 (func $trace_i32 (param i32 i32) (result i32 i32)
  local.get 0
  call $trace
  local.get 1)
 (func $trace_i64 (param i32 i64) (result i32 i64)
  local.get 0
  call $trace
  local.get 1)
 (func $trace_f64 (param i32 f64) (result i32 f64)
  local.get 0
  call $trace
  local.get 1)
 (func $trace_v128 (param i32 v128) (result i32 v128)
  local.get 0
  call $trace
  local.get 1)
 (func $trace_block (param i32 i32 i32) (result i32 i32 i32)
  local.get 0
  call $trace
  local.get 1
  local.get 2
  call $trace)
 (func $trace_copy (param i32 i32 i32) (result i32 i32 i32)
  local.get 0
  call $trace
  local.get 1
  call $trace
  local.get 2
  call $trace)
 (func $trace_div_i32 (param i32 i32) (result i32 i32)
  local.get 0
  call $trace
  local.get 1
  call $trace)
 (func $trace_div_i64 (param i64 i64) (result i64 i64)
  local.get 0
  i32.wrap_i64
  call $trace
  drop
  local.get 1
  i32.wrap_i64
  call $trace
  drop
  local.get 0
  local.get 1)
`;

/** The call that belongs in front of an instruction; undefined: it has nothing to tell. */
export function tellTale(instruction: string): string | undefined {
  if (/^(if|br_if|br_table|select)\b/.test(instruction)) return 'call $trace';
  if (/^memory\.copy/.test(instruction)) return 'call $trace_copy';
  if (/^memory\.fill/.test(instruction)) return 'call $trace_block';
  const lane = /^v128\.(load|store)\d+_lane/.test(instruction);
  const store = /^(i32|i64|f64|v128)\.store/.exec(instruction);
  if (lane || store) return `call $trace_${lane ? 'v128' : store![1]}`;
  if (/^(i32|i64|f64|v128)\.load/.test(instruction)) return 'call $trace';
  const division = /^(i32|i64)\.(div|rem)_/.exec(instruction);
  return division ? `call $trace_div_${division[1]}` : undefined;
}

export async function traced(text: string): Promise<WebAssembly.Module> {
  const lines = text.split('\n').flatMap((line) => {
    const call = tellTale(line.trim());
    return call ? [call, line] : [line];
  });
  const end = lines.findLastIndex((line) => line.trim() === ')');
  const whole = [...lines.slice(0, end), HELPERS, ...lines.slice(end)].join('\n');
  const wabt = await wabtModule();
  const features = { simd: true, multi_value: true, bulk_memory: true, mutable_globals: true, sign_extension: true };
  const parsed = wabt.parseWat('traced.wat', whole, features);
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  return new WebAssembly.Module(Uint8Array.from(buffer));
}
