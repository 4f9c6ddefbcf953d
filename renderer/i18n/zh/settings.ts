import type { settings as en } from '../en/settings.ts';
import type { Translated } from '../message.ts';

export const settings: Translated<typeof en> = {
  'settings.title': '设置',
};
