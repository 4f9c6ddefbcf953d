/** Bytes of hexadecimal text; white space is ignored. */
export const hex = (text: string): Uint8Array => {
  const digits = text.replaceAll(/\s/g, '');
  if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) throw new Error(`not hexadecimal: ${digits}`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
};

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
