// The root of a later Debian suite that build/peers.mjs unpacked: strongSwan 6, Libreswan, OpenIKED, hostapd. Its programs
// run by chroot in the mount namespace that `ip netns exec` makes for each command, with this machine's /dev, /proc, /sys
// and /tmp (where the lab's files are) inside; nothing of that outlives the command.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lab } from './lab.ts';

const PEERS = fileURLToPath(new URL('../../build/peers', import.meta.url));

/** Where the root is, seen from outside. */
export const LATER_ROOT = join(PEERS, 'root');

/** Why a program of the later suite (a path in its root) is not there. */
export function laterPeerMissing(program: string): string | undefined {
  if (existsSync(join(LATER_ROOT, program))) return undefined;
  const missing = join(PEERS, 'missing');
  const why = existsSync(missing) ? readFileSync(missing, 'utf8').trim() : 'node build/peers.mjs was not run';
  return `peers of a later Debian suite are not there (${why})`;
}

/** A command in front of which `inLaterRoot`'s result is put runs in the root. `run`: more to do before, in a shell. */
export function inLaterRoot(lab: Lab, before = ''): readonly string[] {
  const script = join(lab.directory, 'later-root.sh');
  writeFileSync(
    script,
    `set -e
root=${LATER_ROOT}
mount --rbind /dev $root/dev
mount --rbind /proc $root/proc
mount --rbind /sys $root/sys
mount --rbind /tmp $root/tmp
mount -t tmpfs tmpfs $root/run
${before}
exec chroot $root "$@"
`,
  );
  return ['sh', script];
}

/** The same in a guest of user-mode Linux: shell lines that make the root ready, and what runs a command in it. */
export const GUEST_ROOT = {
  script: `root=${LATER_ROOT}
for folder in dev proc sys tmp; do mount --rbind /$folder $root/$folder; done
mount -t tmpfs tmpfs $root/run`,
  enter: `chroot ${LATER_ROOT}`,
} as const;
