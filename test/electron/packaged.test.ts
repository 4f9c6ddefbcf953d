// The desktop app as electron-builder packages it, for all three systems, without downloads (stand-in.ts). What needs the
// network (fpm for the .deb, NSIS, a .dmg) is not made here; what it would be made from is looked through.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extractFile, getRawHeader, listPackage } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import config from '../../build/electron-builder.mjs';
import { missingIn, packagesNeeded } from '../../build/package-engine.mjs';
import { TABLE as FIREWALL } from '../../main/net/firewall/linux.ts';
import { RULE_PRIORITY, TABLE } from '../../main/net/route/table.ts';
import { notBuilt, type Packaged, type Platform, packageApp } from './stand-in.ts';

/** Each takes seconds; the others' configuration is mostly Linux's. */
const PLATFORMS: readonly Platform[] = process.env.CULVERT_LONG ? ['linux', 'darwin', 'win32'] : ['linux'];
const short = !process.env.CULVERT_LONG;
const why = short ? ' [skipped: macOS and Windows are packaged with CULVERT_LONG=1]' : '';
let folder: string;
const packaged = new Map<Platform, Packaged>();
const of = (platform: Platform): Packaged => packaged.get(platform) as Packaged;

describe.skipIf(notBuilt !== undefined)(`the packaged app${notBuilt ? ` (skipped: ${notBuilt})` : ''}`, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'culvert-package-'));
    for (const platform of PLATFORMS) packaged.set(platform, await packageApp(folder, platform));
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(PLATFORMS)('%s: the asar has the shell, its page and its icons, and nothing else', (platform) => {
    const files = listPackage(join(of(platform).resources, 'app.asar'), { isPack: false }).map((file) =>
      file.replaceAll('\\', '/'),
    );
    const has = (path: string): boolean => files.includes(`/build/out/${path}`);
    for (const path of [
      'main/electron/main.js',
      'main/electron/preload.cjs',
      'renderer/index.html',
      'icons/tray-on.png',
    ])
      expect(has(path), path).toBe(true);
    for (const state of ['off', 'busy', 'on', 'problem'])
      for (const suffix of ['', '@2x', 'Template', 'Template@2x'])
        expect(has(`icons/tray-${state}${suffix}.png`), state).toBe(true);
    expect(files.filter((file) => /node_modules|\/main\/(daemon|native|session|cli)|\.map$|\.ts$/.test(file))).toEqual(
      [],
    );
  });

  test.each(PLATFORMS)('%s: every file that the shell imports is in the asar', (platform) => {
    const asar = join(of(platform).resources, 'app.asar');
    const read = (path: string): string => extractFile(asar, path).toString();
    expect(JSON.parse(read('package.json'))).toMatchObject({ main: 'build/out/main/electron/main.js', type: 'module' });
    const open = ['build/out/main/electron/main.js'];
    const seen = new Set(open);
    const packages = new Set<string>();
    for (const path of open)
      for (const [, from = ''] of read(path).matchAll(/^(?:import|export) (?:[^'"=]* from )?['"]([^'"]+)['"]/gm)) {
        if (!from.startsWith('.')) packages.add(from);
        const next = posix.join(dirname(path), from);
        if (!from.startsWith('.') || seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    expect(seen.size).toBeGreaterThan(15);
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['electron']);
  });

  test.each(PLATFORMS)('%s: the fuses are set in the program', async (platform) => {
    const { app } = of(platform);
    const program = { linux: 'culvert', win32: 'Culvert.exe', darwin: 'MacOS/Culvert' }[platform];
    const wire = await getCurrentFuseWire(join(app, program));
    // As @electron/fuses writes them: the characters 1 and 0.
    const state = (on: boolean) => (on ? 0x31 : 0x30);
    expect(wire).toMatchObject({
      [FuseV1Options.RunAsNode]: state(false),
      [FuseV1Options.EnableCookieEncryption]: state(true),
      [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: state(false),
      [FuseV1Options.EnableNodeCliInspectArguments]: state(false),
      [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: state(true),
      [FuseV1Options.OnlyLoadAppFromAsar]: state(true),
      [FuseV1Options.GrantFileProtocolExtraPrivileges]: state(false),
    });
  });

  test.skipIf(short)(`the asar’s hash stands where Electron looks for it${why}`, () => {
    const hash = (platform: Platform): string =>
      createHash('sha256')
        .update(getRawHeader(join(of(platform).resources, 'app.asar')).headerString)
        .digest('hex');
    expect(readFileSync(join(of('darwin').app, 'Info.plist'), 'utf8')).toContain(hash('darwin'));
    expect(readFileSync(join(of('win32').app, 'Culvert.exe')).includes(hash('win32'))).toBe(true);
  });

  test.skipIf(short)(`macOS: links, profile files, icon${why}`, () => {
    const { app, resources } = of('darwin');
    const plist = readFileSync(join(app, 'Info.plist'), 'utf8').replace(/\s+/g, '');
    expect(plist).toContain('<key>CFBundleURLSchemes</key><array><string>culvert</string></array>');
    expect(plist).toContain('<key>CFBundleTypeExtensions</key><array><string>culvert</string></array>');
    expect(plist).toContain('<key>CFBundleIdentifier</key><string>org.culvert.desktop</string>');
    expect(readFileSync(join(resources, 'icon.icns')).subarray(0, 4).toString()).toBe('icns');
  });

  test('Linux: the desktop entry opens links and profile files', async () => {
    // What makes it belongs to the .deb's target, which cannot run here: it downloads fpm.
    const require = createRequire(import.meta.url);
    const library = dirname(require.resolve('app-builder-lib/package.json'));
    const { LinuxTargetHelper } = require(join(library, 'out/targets/LinuxTargetHelper.js')) as {
      LinuxTargetHelper: new (
        packager: object,
      ) => {
        computeDesktopEntry(options: object): Promise<string>;
      };
    };
    const packager = {
      appInfo: { productName: 'Culvert', sanitizedProductName: 'Culvert', description: 'A desktop VPN client' },
      executableName: config.linux.executableName,
      platformSpecificBuildOptions: config.linux,
      fileAssociations: config.fileAssociations,
      config,
      info: { metadata: { name: 'culvert' }, isPrepackedAppAsar: false },
    };
    const entry = await new LinuxTargetHelper(packager).computeDesktopEntry(config.linux);
    expect(entry).toContain('Exec=/opt/Culvert/culvert %U\n');
    expect(entry).toContain('Categories=Network;\n');
    expect(entry).toContain('Icon=culvert\n');
    const types = /^MimeType=(.*)$/m.exec(entry)?.[1]?.split(';').filter(Boolean);
    expect(types).toEqual(expect.arrayContaining(['x-scheme-handler/culvert', config.fileAssociations[0]!.mimeType]));
  });

  test.each(PLATFORMS)('%s: the engine lies beside it, whole, with every package it needs', (platform) => {
    const { resources } = of(platform);
    expect(missingIn(resources, platform, process.arch)).toEqual([]);
    const engine = join(resources, 'engine');
    for (const name of packagesNeeded())
      expect(existsSync(join(engine, 'node_modules', name, 'package.json')), name).toBe(true);
    expect(existsSync(join(engine, 'main/electron')), 'the shell has no place there').toBe(false);
    const koffi = readdirSync(join(engine, 'node_modules/@koromix'));
    expect(koffi).toEqual([`koffi-${platform}-${process.arch}`]);
    const all = readdirSync(engine, { recursive: true }) as string[];
    expect(all.filter((path) => /\.(?:map|ts|cc)$/.test(path))).toEqual([]);
    if (platform === process.platform) expect(statSync(join(engine, 'node')).mode & 0o777).toBe(0o755);
  });

  test.skipIf(process.platform !== 'linux')(
    'its own Node runs the engine’s program from there, with nothing around it',
    () => {
      const engine = join(of('linux').resources, 'engine');
      // An empty environment and another folder: nothing of this repository can be found by accident.
      const node = (...args: string[]): string =>
        execFileSync(join(engine, 'node'), args, { cwd: '/', env: {}, encoding: 'utf8' });
      expect(node(join(engine, 'main/cli/culvert.js'), '--version').trim()).toBe('0.1.0');
      const script = `
      import { libc } from ${JSON.stringify(join(engine, 'main/native/libc.js'))};
      import { loadCoreModuleSync } from ${JSON.stringify(join(engine, 'main/core/load.js'))};
      import { writeSync } from 'node:fs';
      const socket = libc().socket(1, 2, 0);
      writeSync(1, JSON.stringify({ socket: socket > 2, core: WebAssembly.Module.exports(loadCoreModuleSync()).length > 5 }));
      process.exit(0);`;
      expect(JSON.parse(node('--input-type=module', '-e', script))).toEqual({ socket: true, core: true });
    },
  );

  test('what is missing fails the packaging, by name', () => {
    const { resources } = of('linux');
    const koffi = join(resources, `engine/node_modules/@koromix/koffi-linux-${process.arch}`);
    rmSync(koffi, { recursive: true });
    rmSync(join(resources, 'engine/core.wasm'));
    expect(missingIn(resources, 'linux', process.arch)).toEqual([
      'engine/core.wasm',
      `engine/node_modules/@koromix/koffi-linux-${process.arch}`,
    ]);
  });
});

const service = (name: string): string => fileURLToPath(new URL(`../../build/service/${name}`, import.meta.url));

/** As electron-builder fills it in; it knows no other names. */
function script(name: string): string {
  const names: Readonly<Record<string, string>> = { executable: 'culvert', sanitizedProductName: 'Culvert' };
  return readFileSync(service(name), 'utf8').replace(/\$\{([^}]+)\}/g, (_, key: string) => {
    expect(Object.keys(names)).toContain(key);
    return names[key] as string;
  });
}

describe('what the package installs', () => {
  test.each(['after-install.sh', 'after-remove.sh'])('%s is a shell script once its names are filled in', (name) => {
    execFileSync('sh', ['-n'], { input: script(name) });
    expect(Object.values(config.deb)).toContain(`build/service/${name}`);
  });

  test('it recommends what the engine works less well without', () => {
    expect(config.deb.recommends).toEqual(expect.arrayContaining(['pkexec', 'iw', 'nftables', 'iputils-ping']));
  });
});

describe('the service that it installs', () => {
  /** What systemctl is told, of a computer whose files are below a folder. `off`: the service is masked. */
  function install(there: 'new' | 'upgrade', off = false): readonly string[] {
    const root = mkdtempSync(join(tmpdir(), 'culvert-install-'));
    try {
      const log = join(root, 'log');
      const bin = join(root, 'bin');
      for (const folder of [bin, 'run/systemd/system', 'usr/bin', 'usr/lib/systemd/system'].map((each) =>
        resolve(root, each),
      ))
        mkdirSync(folder, { recursive: true });
      for (const command of ['ln', 'chmod', 'chown', 'getent', 'install', 'cat', 'systemctl']) {
        const fails =
          off && command === 'systemctl' ? 'case "$1" in enable | is-enabled | restart) exit 1 ;; esac' : '';
        writeFileSync(join(bin, command), `#!/bin/sh\necho "${command} $*" >>"${log}"\n${fails}\n`, { mode: 0o755 });
      }
      if (there === 'upgrade') writeFileSync(join(root, 'usr/lib/systemd/system/culvert.service'), '');
      const input = script('after-install.sh').replace(/(?<=[\s'])\/(?=usr\/|run\/|opt\/)/g, `${root}/`);
      execFileSync('/bin/sh', ['-s', 'configure'], { input, env: { PATH: bin }, stdio: ['pipe', 'ignore', 'ignore'] });
      return readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('systemctl') && !line.includes('is-enabled'));
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  test('begins at once, and with the computer', () => {
    expect(install('new')).toEqual([
      'systemctl daemon-reload',
      'systemctl enable culvert.service',
      'systemctl restart culvert.service',
    ]);
  });

  test('is the new version’s after an upgrade', () => {
    expect(install('upgrade')).toEqual(['systemctl daemon-reload', 'systemctl restart culvert.service']);
  });

  test('stays switched off by an upgrade where an administrator switched it off', () => {
    expect(install('upgrade', true)).toEqual(['systemctl daemon-reload', 'systemctl try-restart culvert.service']);
  });

  test('does not keep the package from being installed where it is masked', () => {
    expect(install('new', true)).toContain('systemctl enable culvert.service');
  });
});

describe('what removing it leaves', () => {
  /** Commands that it runs, none of which does anything; there is one rule for each family. */
  function remove(how: string): readonly string[] {
    const bin = mkdtempSync(join(tmpdir(), 'culvert-remove-'));
    try {
      const log = join(bin, 'log');
      for (const command of ['rm', 'systemctl', 'readlink', 'sleep', 'grep', 'sed', 'ip', 'nft']) {
        const once = `[ -e "${bin}/rule$1" ] && exit 2; : >"${bin}/rule$1"`;
        const also = command === 'ip' ? `[ "$2" = rule ] || exit 0; ${once}` : command === 'grep' ? 'exit 1' : '';
        writeFileSync(join(bin, command), `#!/bin/sh\necho "${command} $*" >>"${log}"\n${also}\n`, { mode: 0o755 });
      }
      writeFileSync(log, '');
      execFileSync('/bin/sh', ['-s', how], { input: script('after-remove.sh'), env: { PATH: bin } });
      return readFileSync(log, 'utf8').split('\n');
    } finally {
      rmSync(bin, { recursive: true, force: true });
    }
  }

  test('is no rule, route or firewall of an engine that was killed', () => {
    const done = remove('remove');
    expect(done).toContain(`nft delete table inet ${FIREWALL}`);
    for (const family of ['-4', '-6']) {
      expect(
        done.filter((line) => line === `ip ${family} rule del priority ${RULE_PRIORITY} table ${TABLE}`),
      ).toHaveLength(2);
      expect(done).toContain(`ip ${family} route flush table ${TABLE}`);
    }
  });

  test.each(['upgrade', 'purge', 'failed-upgrade'])('is left alone by "%s"', (how) => {
    expect(remove(how).filter((line) => /^(?:ip|nft|sed) /.test(line))).toEqual([]);
  });
});
