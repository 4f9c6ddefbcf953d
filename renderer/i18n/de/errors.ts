import type { errors as en } from '../en/errors.ts';
import type { Translated } from '../message.ts';

export const errors: Translated<typeof en> = {
  'error.ipc/disconnected': 'Die Engine war weg, bevor sie antworten konnte.',
  'error.ipc/disconnected.remedy':
    'Sie wird immer wieder angefragt. Kommt sie nicht zurück, starten Sie sie neu oder sehen Sie in ihr Protokoll.',
};
