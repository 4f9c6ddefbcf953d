import type { profiles as en } from '../en/profiles.ts';
import type { Translated } from '../message.ts';

export const profiles: Translated<typeof en> = {
  'profiles.title': '配置文件',
  'profiles.dropHere': '将配置文件拖放到此处以导入',
};
