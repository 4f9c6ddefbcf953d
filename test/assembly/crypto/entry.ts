// The AEADs alone, for tests: compiled by test/assembly/crypto/aead-module.ts with the flags of build/build.mjs.
import { AEAD_CONTEXT_BYTES } from '../../../assembly/crypto/aead';
export { aeadInstall, aeadOpen, aeadSeal, aeadWipe } from '../../../assembly/crypto/aead';

export function contextBytes(): i32 {
  return AEAD_CONTEXT_BYTES;
}
