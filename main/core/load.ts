// Finds and compiles the packet core. There are two builds of the same source with the same results: core.wasm, which runs
// everywhere, and core-relaxed.wasm, whose table lookups are one instruction shorter (relaxed SIMD; a tenth off AES-GCM). The
// second is taken where V8 has it; CULVERT_CORE=plain or =relaxed says otherwise. The same code runs from source (under vitest) and compiled (from build/out), so the file is
// looked for from the package's root: the nearest package.json above that is culvert's.
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** The two builds, by file name. */
export type CoreBuild = 'core.wasm' | 'core-relaxed.wasm';

/** (func (result v128) (i8x16.relaxed_swizzle (i8x16.splat (i32.const 1)) (i8x16.splat (i32.const 2)))) */
const RELAXED = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

/** Whether modules with relaxed SIMD compile here. V8 of Node 20 has it behind a flag, which later ones do not know. */
export function hasRelaxedSimd(): boolean {
  if (WebAssembly.validate(RELAXED)) return true;
  try {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  } catch {
    return false;
  }
  return WebAssembly.validate(RELAXED);
}

/** Which build to run. Throws where CULVERT_CORE names none, or one that cannot run here. */
export function coreBuild(text = process.env.CULVERT_CORE): CoreBuild {
  switch (text) {
    case 'plain':
      return 'core.wasm';
    case undefined:
    case '':
    case 'auto':
      return hasRelaxedSimd() ? 'core-relaxed.wasm' : 'core.wasm';
    case 'relaxed':
      if (hasRelaxedSimd()) return 'core-relaxed.wasm';
      throw new Error('CULVERT_CORE is "relaxed", but this Node has no relaxed SIMD. Unset it to use the plain build.');
    default:
      throw new Error(
        `CULVERT_CORE is "${text}"; it may be "auto" (the fastest that runs), "plain" or "relaxed". Correct or unset it.`,
      );
  }
}

function nameOf(packageFile: string): unknown {
  try {
    const parsed: unknown = JSON.parse(readFileSync(packageFile, 'utf8'));
    return typeof parsed === 'object' && parsed !== null && 'name' in parsed ? parsed.name : undefined;
  } catch {
    return undefined;
  }
}

/** Path of the build to run. Throws where this file lies outside culvert's package. */
export function corePath(build = coreBuild()): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (nameOf(join(folder, 'package.json')) === 'culvert') {
      // A packaged engine has it beside its package.json.
      const beside = join(folder, build);
      return existsSync(beside) ? beside : join(folder, 'build', 'out', build);
    }
    if (folder === dirname(folder))
      throw new Error(
        `${build} cannot be found: no package.json named "culvert" lies above this file, so the installation is incomplete. Install Culvert again.`,
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
