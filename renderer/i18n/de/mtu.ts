import type { mtu as en } from '../en/mtu.ts';
import type { Translated } from '../message.ts';

export const mtu: Translated<typeof en> = {
  'mtu.title': 'MTU',
};
