import type { profiles as en } from '../en/profiles.ts';
import type { Translated } from '../message.ts';

export const profiles: Translated<typeof en> = {
  'profiles.title': 'Profile',
  'profiles.dropHere': 'Profil hier ablegen, um es zu importieren',
};
