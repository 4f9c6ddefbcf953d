// English: the table that the others translate. A file per part of the interface.
import { en as words } from '../../../main/words/en/index.ts';
import { app } from './app.ts';
import { connection } from './connection.ts';
import { diagnostics } from './diagnostics.ts';
import { mtu } from './mtu.ts';
import { profiles } from './profiles.ts';
import { routes } from './routes.ts';
import { settings } from './settings.ts';

export const en = {
  ...words,
  ...app,
  ...connection,
  ...profiles,
  ...routes,
  ...mtu,
  ...diagnostics,
  ...settings,
};

export type English = typeof en;
