// What a colour says. Never alone: words or an icon always say it too.
export type Tone = 'idle' | 'ok' | 'busy' | 'warn' | 'bad';
