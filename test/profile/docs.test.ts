// docs/profile.md against the code: its examples are right, its defaults are the defaults, and it names every key.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FIELDS } from '../../main/profile/fields.ts';
import { parseProfile } from '../../main/profile/parse.ts';
import { SHAPES } from '../../main/profile/schema.ts';

const text = readFileSync(new URL('../../docs/profile.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] as string);

describe('docs/profile.md', () => {
  it('has an example of every shape', () => {
    const shapes = examples.map((example) => parseProfile(example).profile.tunnel.shape);
    expect([...shapes].sort()).toEqual([...SHAPES].sort());
  });

  it.each(examples.map((example) => [(JSON.parse(example) as { name: string }).name, example]))(
    'the example "%s" is read, with no warning but for plain GRE',
    (_name, example) => {
      const { profile, warnings } = parseProfile(example);
      expect(warnings.filter((warning) => warning.code !== 'profile.plain')).toEqual(
        // An exclusion outside of every included network would have no effect.
        [],
      );
      expect(profile.routes.include.length).toBeGreaterThan(0);
    },
  );

  it('sets everything to its default in the first example', () => {
    const full = JSON.parse(examples[0]!) as Record<string, Record<string, unknown>>;
    const short = structuredClone(full);
    for (const key of ['port', 'nattPort']) delete short.gateway?.[key];
    short.tunnel = { shape: 'gre-tunnel' };
    for (const key of ['local', 'key', 'checksum', 'sequence']) delete short.gre?.[key];
    for (const key of ['allowLan', 'fromGateway']) delete short.routes?.[key];
    delete short.mtu;
    delete short.timing;
    const [whole, bare] = [full, short].map((file) => parseProfile(JSON.stringify(file)).profile);
    expect(bare).toEqual(whole);
  });

  it('shows every key in the first example or a table', () => {
    for (const pointer of Object.keys(FIELDS)) {
      const key = pointer.split('/').at(-1) as string;
      if (key !== '*') expect(text, pointer).toMatch(new RegExp(`["\`]${key}["\`]`));
    }
  });
});
