export const routes = {
  'routes.title': 'Routes',
} as const;
