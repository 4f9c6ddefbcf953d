// What a fresh machine lacks: npm packages always; Debian packages (peers for the live tests) where we are root and apt is
// there. CULVERT_NO_APT=1 leaves the machine's packages alone.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A path that tells whether a package is there → the Debian package. */
const PEERS = {
  '/usr/sbin/ip': 'iproute2',
  '/usr/bin/ping': 'iputils-ping',
  '/usr/lib/ipsec/charon': 'strongswan-charon',
  '/usr/sbin/swanctl': 'strongswan-swanctl',
  '/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so': 'libcharon-extra-plugins',
  '/usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so': 'libcharon-extauth-plugins',
  '/usr/bin/openssl': 'openssl',
  '/usr/lib/ipsec/plugins/libstrongswan-openssl.so': 'libstrongswan-standard-plugins',
  '/usr/lib/ipsec/plugins/libstrongswan-chapoly.so': 'libstrongswan-extra-plugins',
  '/usr/lib/python3/dist-packages/scapy/__init__.py': 'python3-scapy',
  '/usr/lib/python3/dist-packages/cryptography/__init__.py': 'python3-cryptography',
  '/usr/bin/tshark': 'tshark',
  '/usr/bin/tcpdump': 'tcpdump',
  '/usr/bin/iperf3': 'iperf3',
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/ethtool': 'ethtool',
  '/usr/bin/linux.uml': 'user-mode-linux',
  '/usr/lib/softhsm/libsofthsm2.so': 'softhsm2',
  '/usr/sbin/modprobe': 'kmod',
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/chromedriver': 'chromium-driver',
};

/** What only `npm run bench` compares with. */
const BENCH_PEERS = {
  '/usr/sbin/openvpn': 'openvpn',
  '/usr/bin/openssl': 'openssl',
  '/usr/bin/wireguard-go': 'wireguard-go',
  '/usr/bin/wg': 'wireguard-tools',
  '/usr/bin/taskset': 'util-linux',
};

export function npmPackages() {
  const lock = statSync(join(root, 'package-lock.json')).mtimeMs;
  const installed = statSync(join(root, 'node_modules/.package-lock.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (installed >= lock) return;
  console.error('installing npm packages …');
  execFileSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  // npm keeps the lock's older time stamp in some versions; ours decides whether to install again.
  execFileSync('touch', [join(root, 'node_modules/.package-lock.json')]);
}

/** Everything that `npm run bench` compares with; the tests need less. */
export const benchPackages = () => debianPackages(Object.values({ ...PEERS, ...BENCH_PEERS }));

/** Installs the packages in `names` (by default what the tests' peers need) that are missing; says so where it cannot. */
export function debianPackages(names = Object.values(PEERS)) {
  const missing = Object.entries({ ...PEERS, ...BENCH_PEERS }).filter(
    ([path, name]) => names.includes(name) && !existsSync(path),
  );
  if (!missing.length) return;
  const list = missing.map(([, name]) => name);
  const why =
    process.platform !== 'linux'
      ? 'this is not Linux'
      : process.env.CULVERT_NO_APT
        ? 'CULVERT_NO_APT is set'
        : process.getuid() !== 0
          ? 'not root'
          : !existsSync('/usr/bin/apt-get')
            ? 'no apt-get'
            : undefined;
  if (why) {
    console.error(`not installed (${why}): ${list.join(' ')}; what needs them will be skipped`);
    return;
  }
  console.error(`installing Debian packages: ${list.join(' ')} …`);
  // A service that a package starts would sit on UDP 500 and 4500 of this machine: only the programs are wanted.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env,
      stdio: ['ignore', 'ignore', 2],
      timeout: 300_000,
    });
  apt('update');
  const result = apt('install', '-y', '--no-install-recommends', ...list);
  if (result.status !== 0) console.error('apt-get failed; what needs these packages will be skipped');
}

export function build() {
  execFileSync(process.execPath, [join(root, 'build/build.mjs')], { cwd: root, stdio: 'inherit' });
}
