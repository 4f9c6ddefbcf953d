// English: the table that the others translate. A file per part of the interface.
import { app } from './app.ts';
import { connection } from './connection.ts';
import { diagnostics } from './diagnostics.ts';
import { drops } from './drops.ts';
import { errors } from './errors.ts';
import { mtu } from './mtu.ts';
import { profiles } from './profiles.ts';
import { routes } from './routes.ts';
import { settings } from './settings.ts';

export const en = {
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

export type English = typeof en;
