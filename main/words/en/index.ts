// English: the table that the others translate, and the engine's own words (told.ts). A file a part.
import { checks } from './checks.ts';
import { drops } from './drops.ts';
import { errors } from './errors.ts';
import { path } from './path.ts';
import { profile } from './profile.ts';
import { routes } from './routes.ts';
import { tunnel } from './tunnel.ts';

export const en = {
  ...errors,
  ...checks,
  ...drops,
  ...path,
  ...profile,
  ...routes,
  ...tunnel,
};

export type English = typeof en;
