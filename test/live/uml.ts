// A real Linux kernel, with ESP and GRE of its own, as a process: user-mode Linux. It boots in seconds from the host's
// file system (read as it is; only /run and what the test names are its own) and owns one Ethernet interface, vec0, a tap
// in the lab's namespace. So transport mode is proved against the kernel that most Linux gateways run.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finished, Lab, Running } from './lab.ts';

const KERNEL = '/usr/bin/linux.uml';
// In an order that resolves itself. The kernel is told not to ask for more by itself: /sbin/modprobe looks elsewhere, and a
// search for each algorithm that might exist takes many seconds here. The random number generator (drbg) is what makes the
// IVs of AEADs.
const MODULES = [
  ...['esp4', 'xfrm_user', 'ip_gre', 'udp_tunnel', 'aes_generic', 'ghash-generic', 'gcm', 'ctr', 'cbc', 'authenc'],
  ...['chacha_generic', 'poly1305_generic', 'chacha20poly1305', 'sha256_generic', 'sha512_generic', 'hmac'],
  ...['jitterentropy_rng', 'drbg', 'seqiv', 'echainiv', 'authencesn', 'af_key'],
];
const CONTROL = fileURLToPath(new URL('./guest-control.py', import.meta.url));
const CONTROL_PORT = 7;

export function umlMissing(): string | undefined {
  if (!existsSync(KERNEL)) return 'user-mode-linux is not installed';
  if (!existsSync('/usr/sbin/modprobe') && !existsSync('/sbin/modprobe')) return 'kmod is not installed';
  // Its kernel of version 6.1 saves 2,696 bytes of processor state and panics where AMX makes that more.
  if (/\bamx_tile\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return 'user-mode-linux 6.1 panics on AMX processors';
  return undefined;
}

export interface UmlOptions {
  /** Address of vec0 with its prefix length. */
  readonly address: string;
  /** Shell commands run in the guest once the interface is up. The last one should stay in the foreground. */
  readonly script: string;
}

/** Boots a guest whose vec0 is the tap `tap` in `namespace`; the test gives the tap an address or bridges it. */
export function startUml(lab: Lab, namespace: string, tap: string, options: UmlOptions): Running {
  const init = join(lab.directory, `${tap}-init`);
  writeFileSync(
    init,
    `#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /run/modules/lib
ln -s /usr/lib/uml/modules /run/modules/lib/modules
for module in ${MODULES.join(' ')}; do modprobe -d /run/modules $module 2>/dev/null; done
echo > /proc/sys/kernel/modprobe
ip link set lo up
ip address add ${options.address} dev vec0
ip link set vec0 up
echo guest: booted
${options.script}
echo guest: script ended
exec sleep 3600
`,
    { mode: 0o755 },
  );
  lab.run(namespace, 'ip', 'tuntap', 'add', tap, 'mode', 'tap');
  lab.run(namespace, 'ip', 'link', 'set', tap, 'up');
  return lab.start(namespace, [
    ...[KERNEL, 'mem=512M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'rw', `init=${init}`],
    ...[`vec0:transport=tap,ifname=${tap},depth=128`, 'con=null', 'con0=null,fd:1', 'quiet'],
  ]);
}

/** A guest that runs commands while it is up: they reach it over its own interface, from the namespace of its tap. */
export class Guest {
  readonly running: Running;
  private readonly lab: Lab;
  private readonly namespace: string;
  private readonly address: string;

  private constructor(lab: Lab, namespace: string, address: string, running: Running) {
    this.lab = lab;
    this.namespace = namespace;
    this.address = address;
    this.running = running;
  }

  /** Like `startUml`, with `host` (and its prefix length) as the tap's own address; ready when it takes commands. */
  static async boot(
    lab: Lab,
    namespace: string,
    tap: string,
    options: UmlOptions & { readonly host: string },
  ): Promise<Guest> {
    const [address] = options.address.split('/') as [string];
    const running = startUml(lab, namespace, tap, {
      address: options.address,
      script: `${options.script}\nexec /usr/bin/python3 -I -S ${CONTROL} ${address} ${CONTROL_PORT}`,
    });
    lab.run(namespace, 'ip', 'address', 'add', options.host, 'dev', tap);
    await running.saw(/guest: control/, 60_000);
    return new Guest(lab, namespace, address, running);
  }

  /** Runs a shell command (one line) in the guest. */
  async run(command: string): Promise<Finished> {
    const asked = await this.lab.finish(this.namespace, [
      ...['/usr/bin/python3', '-I', '-S', '-c'],
      `import socket,sys
s = socket.create_connection((sys.argv[1], ${CONTROL_PORT}), 10)
s.settimeout(70)
s.sendall(sys.argv[2].encode() + b"\\n")
while (got := s.recv(65536)):
    sys.stdout.buffer.write(got)`,
      this.address,
      command,
    ]);
    const [, stdout, code] = /^([\s\S]*)\n(\d+)$/.exec(asked.stdout) ?? [];
    if (stdout === undefined) throw new Error(`the guest did not run ${command}: ${asked.stdout}${asked.stderr}`);
    return { code: Number(code), stdout, stderr: '' };
  }

  /** Runs a command that must succeed; its output. */
  async must(command: string): Promise<string> {
    const ran = await this.run(command);
    if (ran.code !== 0) throw new Error(`${command}: ${ran.code}\n${ran.stdout}`);
    return ran.stdout;
  }

  get output(): string {
    return this.running.output;
  }
}
