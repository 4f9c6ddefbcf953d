// What a test of the path found.
export const path = {
  'path.fits': 'Packets of {path} bytes arrive, as the tunnel assumes. Nothing needs to change.',
  'path.smaller':
    'Only packets of up to {path} bytes arrive; the tunnel assumes {assumed}. Larger ones are lost: downloads and some pages may hang. Use the measured value.',
  'path.larger':
    'Packets of up to {path} bytes arrive; the tunnel assumes {assumed}. It works, and the measured value is slightly faster.',
  'path.none':
    'No test packet came back. The gateway may not answer them, or the network loses them; ask your administrator, or try another network.',
} as const;
