// Changes of a stored profile: its name, its locks, and the person's choices. The text comes in and goes out, so that what is
// stored has been read by the same checks as an imported file. Who may change what is the caller's to ask (`locksOf`).
import { type ParsedProfile, parseProfile } from './parse.ts';
import type { Overrides } from './policy.ts';

type Raw = Record<string, unknown>;

/** The stored text is right JSON: it was read before. Throws ProfileError where the change makes it wrong. */
function edit(stored: ParsedProfile, change: (raw: Raw) => Raw): ParsedProfile {
  const raw = JSON.parse(stored.text) as Raw;
  const changed = Object.fromEntries(Object.entries(change(raw)).filter(([, value]) => value !== undefined));
  return parseProfile(JSON.stringify(changed), { stored: true });
}

export const renamed = (stored: ParsedProfile, name: string): ParsedProfile =>
  edit(stored, (raw) => ({ ...raw, name }));

export function relocked(stored: ParsedProfile, locked: readonly string[], by: string | null): ParsedProfile {
  return edit(stored, (raw) => ({
    ...raw,
    locked: locked.length > 0 ? locked : undefined,
    lockedBy: locked.length > 0 && by !== null ? by : undefined,
  }));
}

/** Lays choices over those that were made before; a key that is undefined goes back to the profile's own. */
export function overridden<K extends keyof Overrides>(
  stored: ParsedProfile,
  section: K,
  choices: Partial<Record<keyof NonNullable<Overrides[K]>, unknown>>,
): ParsedProfile {
  return edit(stored, (raw) => {
    const overrides = (raw.overrides ?? {}) as Raw;
    const merged = { ...(overrides[section] as Raw | undefined), ...choices };
    return { ...raw, overrides: tidied({ ...overrides, [section]: tidied(merged) }) };
  });
}

/** Back to the profile's own words in this section. */
export function restored(stored: ParsedProfile, section: keyof Overrides): ParsedProfile {
  return edit(stored, (raw) => ({
    ...raw,
    overrides: tidied({ ...(raw.overrides as Raw | undefined), [section]: undefined }),
  }));
}

/** Without what is undefined; undefined where nothing is left. */
function tidied(object: Raw): Raw | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}
