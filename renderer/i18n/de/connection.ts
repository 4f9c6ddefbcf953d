import type { connection as en } from '../en/connection.ts';
import type { Translated } from '../message.ts';

export const connection: Translated<typeof en> = {
  'connection.title': 'Verbindung',
};
