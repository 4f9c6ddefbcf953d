// A translation of en/, file by file.
import { de as words } from '../../../main/words/de/index.ts';
import { app } from './app.ts';
import { connection } from './connection.ts';
import { diagnostics } from './diagnostics.ts';
import { mtu } from './mtu.ts';
import { profiles } from './profiles.ts';
import { routes } from './routes.ts';
import { settings } from './settings.ts';

export const de = {
  ...words,
  ...app,
  ...connection,
  ...profiles,
  ...routes,
  ...mtu,
  ...diagnostics,
  ...settings,
};
