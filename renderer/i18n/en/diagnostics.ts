export const diagnostics = {
  'diagnostics.title': 'Diagnostics',
} as const;
