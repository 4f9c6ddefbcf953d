// Where SAs sit in the core: small numbers that the control plane hands out, one row of slots per direction.

/** As many as the core holds (assembly/layout.ts, which this folder may not import; a test compares them). */
export const INBOUND_SLOTS = 32;
export const OUTBOUND_SLOTS = 16;

export interface Slots {
  /** The lowest free slot, now taken; undefined where all are taken. */
  take(): number | undefined;
  free(slot: number): void;
}

export function createSlots(count: number): Slots {
  const taken = new Array<boolean>(count).fill(false);
  return {
    take() {
      const slot = taken.indexOf(false);
      if (slot < 0) return undefined;
      taken[slot] = true;
      return slot;
    },
    free(slot) {
      if (!taken[slot]) throw new RangeError(`slot ${slot} is not taken`);
      taken[slot] = false;
    },
  };
}
