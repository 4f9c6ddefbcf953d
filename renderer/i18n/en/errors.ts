export const errors = {
  'error.ipc/disconnected': 'The engine went away before it answered.',
  'error.ipc/disconnected.remedy':
    'It is asked again and again. If it does not come back, start it again or look at its log.',
} as const;
