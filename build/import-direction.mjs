// Lints the direction of imports: main/<area> may import only the areas that this table names (ARCHITECTURE.md says why).
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// Longest matching prefix wins on both sides. A folder may always import itself. `npm:` lists the packages and Node
// modules that only the named places may import.
const ALLOWED = {
  'main/wire': ['assembly/layout.ts'],
  // What the engine says to people, in every language: imports nothing.
  'main/words': [],
  'main/native': [],
  'main/core': ['main/wire', 'assembly/layout.ts'],
  'main/crypto': ['main/wire', 'main/words/told.ts'],
  'main/net': ['main/wire', 'main/native', 'main/path/command.ts'],
  'main/path': ['main/core', 'main/net', 'main/native', 'main/wire', 'assembly/layout.ts'],
  'main/path/command.ts': ['main/core/api.ts', 'main/core/counters.ts', 'main/wire'],
  'main/ike': ['main/wire', 'main/crypto'],
  // What answers the questions of an IKE SA: certificates and keys, EAP methods. They know IKE's types and nothing else of it.
  'main/pki': [
    'main/wire',
    'main/crypto',
    'main/ike/credential.ts',
    'main/ike/responder-config.ts',
    'main/ike/questions.ts',
    'main/ike/error.ts',
    'main/ike/identity.ts',
    // Its types; whoever composes the engine loads it.
    'main/native/pkcs11.ts',
  ],
  'main/eap': [
    'main/wire',
    'main/crypto',
    'main/pki',
    'main/ike/questions.ts',
    'main/ike/error.ts',
    'main/ike/identity.ts',
  ],
  'main/esp': ['main/wire', 'main/crypto', 'main/ike/child-sa.ts', 'main/path/command.ts'],
  'main/mtu': ['main/wire', 'main/path/command.ts'],
  'main/profile': ['main/wire', 'main/words/told.ts', 'main/crypto', 'main/pki', 'main/mtu'],
  'main/session': [
    'main/wire',
    'main/words/told.ts',
    'main/crypto/policy.ts',
    'main/crypto/random.ts',
    'main/crypto/signature.ts',
    'main/ike',
    'main/esp',
    'main/pki',
    'main/eap',
    'main/mtu',
    'main/profile',
    'main/path/command.ts',
    'main/net/error.ts',
    'main/net/in-turn.ts',
    'main/net/tun/api.ts',
    'main/net/route/api.ts',
    'main/net/dns/api.ts',
    'main/net/monitor/api.ts',
    'main/net/socket/api.ts',
    'main/ipc/contract.ts',
  ],
  'main/diagnose': ['main/wire', 'main/words/told.ts', 'main/mtu', 'main/core/counters.ts', 'main/ipc/contract.ts'],
  'main/gateway': [
    'main/wire',
    'main/ike',
    'main/esp',
    'main/pki',
    'main/eap',
    'main/mtu',
    'main/path',
    'main/net',
    'main/native',
    'main/crypto',
  ],
  'main/ipc': ['main/words/told.ts'],
  // The contract's own vocabulary, which imports nothing else.
  'main/ipc/contract.ts': ['main/ipc/data.ts', 'main/ipc/shape.ts'],
  'main/ipc/data.ts': ['main/ipc/shape.ts'],
  'main/ipc/shape.ts': [],
  'main/daemon': ['main'],
  'main/cli': ['main/ipc', 'main/daemon'],
  'main/electron': ['main/ipc', 'main/words'],
  // The contract, and what speaks it without Node: the calling end over any channel, and the double for development.
  renderer: ['main/words', 'main/ipc/contract.ts', 'main/ipc/proxy.ts', 'main/ipc/error.ts', 'main/ipc/fake.ts'],
};
const ONLY = { koffi: ['main/native'], electron: ['main/electron'] };

const files = (folder) =>
  readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    return statSync(join(root, path)).isDirectory() ? files(path) : /\.(tsx?|cts)$/.test(name) ? [path] : [];
  });
const longest = (path) =>
  Object.keys(ALLOWED)
    .filter((prefix) => path === prefix || path.startsWith(`${prefix}/`))
    .sort((a, b) => b.length - a.length)[0];

let failures = 0;
const fail = (message) => {
  failures++;
  console.error(message);
};

// git keeps no empty folders: a fresh clone has no renderer/ as long as nothing is in it.
for (const file of ['main', 'renderer'].filter((folder) => existsSync(join(root, folder))).flatMap(files)) {
  const owner = longest(file);
  if (!owner) {
    fail(`${file}: no rule for its folder in build/import-direction.mjs`);
    continue;
  }
  const text = readFileSync(join(root, file), 'utf8');
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    if (!specifier.startsWith('.')) {
      const name = specifier.split('/')[0];
      if (ONLY[name] && !ONLY[name].some((place) => file.startsWith(`${place}/`)))
        fail(`${file}: only ${ONLY[name]} may import ${name}`);
      continue;
    }
    const target = relative(root, normalize(join(root, dirname(file), specifier)));
    const allowed = [...ALLOWED[owner], ...(owner.endsWith('.ts') ? [] : [owner])];
    const ok = allowed.some((place) => target === place || target.startsWith(`${place}/`));
    if (!ok || (owner === 'main/daemon' && target.startsWith('main/electron')))
      fail(`${file}: may not import ${target} (${owner} → ${ALLOWED[owner].join(', ') || 'nothing'})`);
  }
}
if (failures) process.exit(1);
console.log('import directions: clean');
