// Finds and compiles core.wasm. The same code runs from source (under vitest) and compiled (from build/out), so the file is
// looked for from the package's root: the nearest package.json above that is culvert's.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function nameOf(packageFile: string): unknown {
  try {
    const parsed: unknown = JSON.parse(readFileSync(packageFile, 'utf8'));
    return typeof parsed === 'object' && parsed !== null && 'name' in parsed ? parsed.name : undefined;
  } catch {
    return undefined;
  }
}

/** Path of core.wasm. Throws where this file lies outside culvert's package. */
export function corePath(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (nameOf(join(folder, 'package.json')) === 'culvert') return join(folder, 'build', 'out', 'core.wasm');
    if (folder === dirname(folder))
      throw new Error(
        'core.wasm cannot be found: no package.json named "culvert" lies above this file, so the installation is incomplete. Install Culvert again.',
      );
  }
}

function missing(path: string, cause: unknown): Error {
  return new Error(
    `The packet core ${path} cannot be read; most likely it was not built yet. Run "npm run build" in the package's folder.`,
    { cause },
  );
}

/** Compiles the packet core. A worker may be handed the module instead of compiling again. */
export async function loadCoreModule(): Promise<WebAssembly.Module> {
  const path = corePath();
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw missing(path, cause);
  });
  return WebAssembly.compile(bytes);
}

export function loadCoreModuleSync(): WebAssembly.Module {
  const path = corePath();
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw missing(path, cause);
  }
  return new WebAssembly.Module(bytes);
}
