// Copies of the secrets in an initiator's configuration, so that they can be wiped as soon as both ends are authentic, or when it is
// over, while the caller's bytes are left alone.
import type { Credential } from '../credential.ts';
import type { InitiatorConfig } from '../initiator-config.ts';

export class OwnSecrets {
  readonly #copies: Uint8Array[] = [];
  /** The configuration with the copies in it. */
  readonly config: InitiatorConfig;

  constructor(config: InitiatorConfig) {
    const { credential, remoteAuthentication, second, ppk } = config;
    this.config = {
      ...config,
      credential: this.#own(credential),
      ...(remoteAuthentication && {
        remoteAuthentication:
          remoteAuthentication.kind === 'psk'
            ? { ...remoteAuthentication, secret: this.#copy(remoteAuthentication.secret) }
            : remoteAuthentication,
      }),
      ...(second && { second: { ...second, credential: this.#own(second.credential) } }),
      ...(ppk && { ppk: { ...ppk, secret: this.#copy(ppk.secret) } }),
    };
  }

  wipe(): void {
    for (const copy of this.#copies) copy.fill(0);
  }

  #own(credential: Credential): Credential {
    return credential.kind === 'psk' ? { ...credential, secret: this.#copy(credential.secret) } : credential;
  }

  #copy(secret: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(secret);
    this.#copies.push(copy);
    return copy;
  }
}
