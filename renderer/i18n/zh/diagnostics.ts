import type { diagnostics as en } from '../en/diagnostics.ts';
import type { Translated } from '../message.ts';

export const diagnostics: Translated<typeof en> = {
  'diagnostics.title': '诊断',
};
