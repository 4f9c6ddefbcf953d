// Peers of a later Debian suite for the live tests: strongSwan 6 (ML-KEM), Libreswan, OpenIKED and hostapd (as a RADIUS
// server), in a root of their own, build/peers/root, since they would conflict with this machine's packages. apt itself
// fetches them, with a state of its own beside that root: it resolves what they need down to libc and checks the suite's
// signature and every file's hash. Nothing of this machine's packages changes, and no package's script runs.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE = 'forky';
/** Each line is resolved by itself: strongSwan and Libreswan conflict as packages, but not as files. */
const PACKAGES = [
  [
    ...['strongswan-charon', 'strongswan-swanctl', 'libcharon-extra-plugins', 'libcharon-extauth-plugins'],
    ...['libstrongswan-extra-plugins', 'libstrongswan-standard-plugins', 'hostapd', 'dash', 'coreutils'],
  ],
  ['libreswan', 'openiked'],
];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const place = join(dirname(fileURLToPath(import.meta.url)), 'peers');
const root = join(place, 'root');

function cannot() {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.env.CULVERT_NO_APT) return 'CULVERT_NO_APT is set';
  if (process.getuid() !== 0) return 'not root';
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) return 'no apt-get';
  if (!existsSync(KEYRING)) return `no ${KEYRING}`;
  return undefined;
}

function fetchPackages() {
  const apt = join(place, 'apt');
  for (const folder of ['etc/apt.conf.d', 'etc/preferences.d', 'state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(join(apt, 'sources'), `deb [signed-by=${KEYRING}] http://deb.debian.org/debian ${SUITE} main\n`);
  writeFileSync(
    join(apt, 'apt.conf'),
    `Dir "${apt}/";
Dir::Etc "${apt}/etc";
Dir::Etc::sourcelist "${apt}/sources";
Dir::Etc::sourceparts "-";
Dir::State "${apt}/state";
Dir::State::status "${apt}/status";
Dir::Cache "${apt}/cache";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
APT::Update::Error-Mode "any";
// A mirror may stand still, which does no harm to a test's peer: what it has is signed all the same.
Acquire::Check-Valid-Until "false";
`,
  );
  const run = (...command) => {
    const result = spawnSync('apt-get', ['-qq', ...command], {
      env: { ...process.env, APT_CONFIG: join(apt, 'apt.conf'), DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: 180_000,
    });
    if (result.status === 0) return;
    const said = (result.stderr || String(result.error ?? '')).trim().split('\n').pop();
    throw new Error(`apt-get ${command[0]} failed: ${said}`);
  };
  run('update');
  for (const names of PACKAGES) run('install', '-y', '--download-only', ...names);
  const archives = join(apt, 'cache/archives');
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name));
}

function unpack(archives) {
  const made = `${root}.new`;
  rmSync(made, { recursive: true, force: true });
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(made, 'usr', folder), { recursive: true });
    symlinkSync(`usr/${folder}`, join(made, folder));
  }
  for (const folder of ['dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var/lib']) {
    mkdirSync(join(made, folder), { recursive: true });
  }
  symlinkSync('/run', join(made, 'var/run'));
  // What packages' scripts would have written, and the peers look for.
  writeFileSync(
    join(made, 'etc/passwd'),
    'root:x:0:0::/root:/bin/sh\n_iked:x:100:100::/var/lib/openiked/empty:/bin/false\n',
  );
  writeFileSync(join(made, 'etc/group'), 'root:x:0:\n_iked:x:100:\n');
  writeFileSync(join(made, 'etc/hosts'), '127.0.0.1 localhost\n');
  writeFileSync(join(made, 'etc/resolv.conf'), '');
  for (const archive of archives) {
    const result = spawnSync('dpkg-deb', ['-x', archive, made], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`dpkg-deb -x ${archive}: ${result.stderr}`);
  }
  rmSync(root, { recursive: true, force: true });
  renameSync(made, root);
}

/** Makes build/peers/root unless it is there already; where it cannot, build/peers/missing says why, for the tests to read. */
export function laterPeers() {
  const [stamp, missing] = [join(place, 'packages'), join(place, 'missing')];
  // Raise the number when `unpack` changes.
  const wanted = `1 ${SUITE}: ${PACKAGES.flat().join(' ')}\n`;
  if (existsSync(root) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  mkdirSync(place, { recursive: true });
  rmSync(stamp, { force: true });
  try {
    const why = cannot();
    if (why) throw new Error(why);
    console.error(`fetching strongSwan 6, Libreswan and OpenIKED of Debian ${SUITE} …`);
    unpack(fetchPackages());
    rmSync(join(place, 'apt'), { recursive: true, force: true });
    rmSync(missing, { force: true });
    writeFileSync(stamp, wanted);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    writeFileSync(missing, `${said}\n`);
    console.error(`not fetched (${said}): strongSwan 6, Libreswan and OpenIKED; what needs them will be skipped`);
  }
}
