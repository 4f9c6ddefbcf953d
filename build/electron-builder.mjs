// How electron-builder (`npx electron-builder --config build/electron-builder.mjs`, after `npm run build`) packages the desktop
// app. The shell, its page and its icons go into the asar; the engine, which a Node runtime of its own runs with an
// administrator's rights, lies beside it (main/electron/main.ts: resources/engine). The runtime is the platform's official
// Node binary, put into build/engine-node/PLATFORM-ARCH/ (linux-x64, darwin-arm64, win32-x64) by whoever makes the release.
// package-engine.mjs puts it together, and fails where anything of it is missing.
//
// No AppImage: it is mounted for one person, so that root can neither read the engine in it nor trust it.
import afterPack from './package-engine.mjs';

const config = {
  appId: 'org.culvert.desktop',
  productName: 'Culvert',
  // Icons and service files; without this it would be all of build/, and nothing of build/out would get into the app.
  directories: { output: 'build/packages', buildResources: 'build/service' },
  extraMetadata: { main: 'build/out/main/electron/main.js', author: 'The Culvert contributors' },
  asar: true,
  npmRebuild: false,
  afterPack,
  files: [
    'package.json',
    'build/out/main/electron/**',
    'build/out/main/ipc/**',
    // The engine's ends and the doubles for tests.
    '!build/out/main/ipc/{server,web,relay,static,fake,fake-*}.js',
    'build/out/main/words/**',
    'build/out/renderer/**',
    'build/out/icons/tray-*.png',
    '!**/*.map',
    // The shell needs Electron and Node alone.
    '!node_modules/**',
  ],
  fileAssociations: [
    { ext: 'culvert', name: 'Culvert profile', mimeType: 'application/vnd.culvert.profile+json', role: 'Viewer' },
  ],
  protocols: [{ name: 'Culvert', schemes: ['culvert'], role: 'Viewer' }],
  electronFuses: {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableCookieEncryption: true,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    // The page is a file, whose origin would otherwise be allowed more than a web page's.
    grantFileProtocolExtraPrivileges: false,
  },
  icon: 'build/out/icons/app-512.png',
  linux: {
    target: ['deb'],
    category: 'Network',
    executableName: 'culvert',
    synopsis: 'VPN client for GRE over IPsec and IKEv2',
    maintainer: 'The Culvert contributors',
    desktop: { entry: { StartupWMClass: 'culvert', Keywords: 'VPN;IPsec;IKEv2;' } },
  },
  deb: {
    depends: ['iproute2', 'libgtk-3-0', 'libnotify4', 'libnss3', 'libxss1', 'libxtst6', 'xdg-utils', 'libsecret-1-0'],
    recommends: ['pkexec', 'iw', 'nftables', 'iputils-ping'],
    afterInstall: 'build/service/after-install.sh',
    afterRemove: 'build/service/after-remove.sh',
  },
  mac: {
    icon: 'build/out/icons/app.icns',
    target: ['dmg'],
    category: 'public.app-category.utilities',
    hardenedRuntime: true,
  },
  win: { icon: 'build/out/icons/app.ico', target: ['nsis'] },
  nsis: { oneClick: false, perMachine: true },
};

export default config;
