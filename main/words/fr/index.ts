// A translation of en/, file by file.
import { drops } from './drops.ts';
import { errors } from './errors.ts';

export const fr = { ...errors, ...drops };
