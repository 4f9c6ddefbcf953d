/** Packages that the engine runs with, and theirs. */
export function packagesNeeded(): readonly string[];
/** What the folder with the app's resources lacks, as paths below it. */
export function missingIn(resources: string, platform: string, architecture: string): readonly string[];
/** Fills resources/engine. Throws an Error that names what is missing. */
export function packEngine(resources: string, platform: string, architecture: string): void;
/** electron-builder's hook `afterPack`. */
export default function afterPack(context: {
  readonly appOutDir: string;
  readonly electronPlatformName: string;
  readonly arch: number;
  readonly packager: { readonly appInfo: { readonly productFilename: string } };
}): Promise<void>;
