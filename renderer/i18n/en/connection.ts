export const connection = {
  'connection.title': 'Connection',
} as const;
