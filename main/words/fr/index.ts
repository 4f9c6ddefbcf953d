// A translation of en/, file by file.
import { checks } from './checks.ts';
import { drops } from './drops.ts';
import { errors } from './errors.ts';
import { path } from './path.ts';
import { profile } from './profile.ts';
import { routes } from './routes.ts';
import { tunnel } from './tunnel.ts';

export const fr = {
  ...errors,
  ...checks,
  ...drops,
  ...path,
  ...profile,
  ...routes,
  ...tunnel,
};
