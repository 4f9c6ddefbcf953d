// Static files of the interface, read once and kept: nothing but what was in the folder at the start can be asked for, so no
// path of a request ever reaches the file system.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ipcError } from './error.ts';

export interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

/** By path, "/" for index.html. Files of other types (source maps) are left out. Throws EngineError `ipc/web`. */
export function readStaticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  const read = (path: string): void => {
    for (const name of readdirSync(join(folder, path))) {
      const file = `${path}/${name}`;
      const type = TYPES[extname(name)];
      if (statSync(join(folder, file)).isDirectory()) read(file);
      else if (type) files.set(file, { type, bytes: readFileSync(join(folder, file)) });
    }
  };
  try {
    read('');
  } catch (error) {
    throw missing(folder, (error as NodeJS.ErrnoException).code ?? String(error));
  }
  const index = files.get('/index.html');
  if (!index) throw missing(folder, 'no index.html');
  files.set('/', index);
  return files;
}

function missing(folder: string, why: string): Error {
  return ipcError(
    'ipc/web',
    `The interface is not in ${folder} (${why}).`,
    'Build it first: `node build/build.mjs && node build/renderer.mjs`.',
    { folder },
  );
}
