import type { routes as en } from '../en/routes.ts';
import type { Translated } from '../message.ts';

export const routes: Translated<typeof en> = {
  'routes.title': 'Routes',
};
