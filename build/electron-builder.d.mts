/** electron-builder's configuration. */
declare const config: {
  readonly asar: boolean;
  readonly files: readonly string[];
  readonly fileAssociations: readonly { readonly ext: string; readonly mimeType: string }[];
  readonly protocols: readonly { readonly schemes: readonly string[] }[];
  readonly electronFuses: Readonly<Record<string, boolean>>;
  readonly linux: { readonly target: readonly string[]; readonly executableName: string };
  readonly deb: Readonly<Record<'afterInstall' | 'afterRemove', string>> & { readonly recommends: readonly string[] };
};
export default config;
