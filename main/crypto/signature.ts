// Signature schemes of IKEv2's AUTH payload, as names. Which bytes each has on the wire (authentication method, RFC 7296 §3.8; or the
// AlgorithmIdentifier of method 14, RFC 7427 §3), and what signs and verifies, belongs here too.

/** "RSA with PKCS #1 v1.5 and SHA-1" is method 1 (RFC 7296 §3.8); the ecdsa-p* are methods 9 to 11 (RFC 4754), the others method 14. */
export type SignatureScheme =
  | { readonly method: 'rsa-sha1' }
  | { readonly method: 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' }
  /** RFC 7427: any hash with the key of the certificate; Ed25519 has the hash `identity` (RFC 8420). */
  | {
      readonly method: 'digital-signature';
      readonly key: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa';
      readonly hash: 'sha256' | 'sha384' | 'sha512';
    }
  | { readonly method: 'digital-signature'; readonly key: 'ed25519'; readonly hash: 'identity' };
