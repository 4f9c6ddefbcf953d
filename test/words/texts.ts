// What the engine told, as its English sentences: one a line.
import type { Told } from '../../main/words/told.ts';

export const textsOf = (told: readonly Told[]): string => told.map(({ text }) => text).join('\n');
