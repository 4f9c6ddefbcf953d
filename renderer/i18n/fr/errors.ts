import type { errors as en } from '../en/errors.ts';
import type { Translated } from '../message.ts';

export const errors: Translated<typeof en> = {
  'error.ipc/disconnected': 'Le moteur a disparu avant de répondre.',
  'error.ipc/disconnected.remedy':
    'Il est sollicité régulièrement. S’il ne revient pas, redémarrez-le ou consultez son journal.',
};
