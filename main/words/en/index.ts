// English: the table that the others translate, and the engine's own words (told.ts).
import { drops } from './drops.ts';
import { errors } from './errors.ts';

export const en = { ...errors, ...drops };

export type English = typeof en;
