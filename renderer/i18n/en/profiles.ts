export const profiles = {
  'profiles.title': 'Profiles',
  'profiles.dropHere': 'Drop the profile here to import it',
} as const;
