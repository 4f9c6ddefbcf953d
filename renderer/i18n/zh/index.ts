// A translation of en/, file by file.
import { app } from './app.ts';
import { connection } from './connection.ts';
import { diagnostics } from './diagnostics.ts';
import { drops } from './drops.ts';
import { errors } from './errors.ts';
import { mtu } from './mtu.ts';
import { profiles } from './profiles.ts';
import { routes } from './routes.ts';
import { settings } from './settings.ts';

export const zh = {
  ...app,
  ...connection,
  ...profiles,
  ...routes,
  ...mtu,
  ...diagnostics,
  ...settings,
  ...errors,
  ...drops,
};
