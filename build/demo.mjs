// `npm run demo`: installs and builds what is missing, then runs the demo (main/daemon/demo). `--help` tells its options.
import { build, npmPackages } from './setup.mjs';

npmPackages();
build();
const { demo } = await import('./out/main/daemon/demo/demo.js');
process.exit(await demo(process.argv.slice(2)));
