import type { profiles as en } from '../en/profiles.ts';
import type { Translated } from '../message.ts';

export const profiles: Translated<typeof en> = {
  'profiles.title': 'Profils',
  'profiles.dropHere': 'Déposez le profil ici pour l’importer',
};
