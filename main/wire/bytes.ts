// Byte strings that are compared as they are, and not in constant time: nothing secret is compared with this.

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
