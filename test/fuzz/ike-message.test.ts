// The message parser under a coverage-guided fuzzer. CULVERT_FUZZ_INPUTS: how many (6,000 by itself, 400,000 with CULVERT_LONG);
// CULVERT_SEED: another stream of inputs; CULVERT_FUZZ_SAVE: writes what was found on top of the corpus to this file, in the corpus' form.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RECORDED } from '../ike/recorded.ts';
import { fuzz } from './fuzz.ts';
import { exerciseMessage } from './ike-message.ts';
import { mutated, partsOf } from './mutate.ts';

const SEED = Number(process.env.CULVERT_SEED ?? 1);
const INPUTS = Number(process.env.CULVERT_FUZZ_INPUTS ?? (process.env.CULVERT_LONG ? 400_000 : 6_000));
const SCRIPTS = ['/main/ike/', '/main/wire/', '/main/crypto/proposal'];

const SAVED: readonly string[] = JSON.parse(
  readFileSync(new URL('./corpus/ike-message.json', import.meta.url), 'utf8'),
);
/** What strongSwan sent, opened where it was sealed, and what earlier runs found. */
const CORPUS: readonly Uint8Array[] = [
  ...RECORDED.flatMap(({ messages }) => messages.slice(0, 2).map(({ bytes }) => bytes)),
  ...SAVED.map((text) => Uint8Array.from(Buffer.from(text, 'hex'))),
];

test('mutations keep most messages chains of payloads', () => {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 0x1_0000_0000;
  };
  const message = CORPUS[0]!;
  const chains = Array.from({ length: 500 }, () => mutated(message, CORPUS[1]!, random)).filter(
    (one) => partsOf(one).length >= 2,
  );
  expect(chains.length).toBeGreaterThan(250);
});

test(
  `${INPUTS} inputs: none makes the parser throw, or change what it read`,
  async () => {
    const outcome = await fuzz({
      corpus: CORPUS,
      scripts: SCRIPTS,
      seed: SEED,
      inputs: INPUTS,
      run: exerciseMessage,
    });
    const { crash, inputs, blocks, found } = outcome;
    console.log(
      `fuzzing with seed ${SEED}: ${inputs} inputs, ${blocks} blocks, ${found.length - CORPUS.length} inputs worth keeping`,
    );
    const save = process.env.CULVERT_FUZZ_SAVE;
    if (save)
      writeFileSync(
        save,
        JSON.stringify(
          found.slice(CORPUS.length).map((one) => Buffer.from(one).toString('hex')),
          null,
          1,
        ),
      );
    if (crash) throw new Error(`seed ${SEED}, input ${crash.input}`, { cause: crash.error });
    // It has looked around: the corpus is a beginning, and coverage was counted.
    expect(inputs).toBeGreaterThanOrEqual(CORPUS.length + INPUTS);
    expect(blocks).toBeGreaterThan(300);
  },
  60_000 + INPUTS * 10,
);
