export const mtu = {
  'mtu.title': 'MTU',
} as const;
