// The version of this program, from its package.json: two levels up from the source, more from the compiled form.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function readVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'culvert' && typeof version === 'string') return version;
    } catch {
      // Not here: look one folder up.
    }
    if (folder === dirname(folder)) return 'unknown';
  }
}
