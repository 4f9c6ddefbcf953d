// What belongs at a key of a profile, in words, and the words that several keys share.

export interface Field {
  readonly expected: string;
  /** As it stands in the file. */
  readonly example: string;
}

export const flag = (meaning: string): Field => ({ expected: `true or false: ${meaning}`, example: 'true' });
export const identity = (whose: string): Field => ({
  expected: `${whose} identity: "alice@example.com", "host.example.com", an address, or "key-id:…"; null for the default`,
  example: '"alice@example.com"',
});
export const section = (meaning: string, example: string): Field => ({ expected: `an object: ${meaning}`, example });
