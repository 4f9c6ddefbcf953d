// Rounds and seconds of the benchmarks, from the environment. CULVERT_BENCH_ROUNDS=1 CULVERT_BENCH_SECONDS=2 is the quick
// way: everything in a few minutes, with figures that show the order of things and no more.
function positive(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} must be a number above 0, not "${text}".`);
  return value;
}

export const ROUNDS = Math.ceil(positive('CULVERT_BENCH_ROUNDS', 3));
export const SECONDS = positive('CULVERT_BENCH_SECONDS', 5);
