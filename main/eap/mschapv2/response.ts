// The proofs of MSCHAPv2 (RFC 2759 §8): the peer's 24 bytes for the authenticator's challenge, the authenticator's 42
// characters for the peer's, and the keys that follow from them (RFC 3079 §3.4).
//
// Broken as it stands: whoever records one exchange finds the password's hash by trying 2^56 DES keys. It goes only to a
// gateway that has proved itself by certificate, or through a TLS tunnel.
import { sha1 } from '@noble/hashes/legacy.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { desEncrypt } from './des.ts';
import { md4 } from './md4.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** §8.3 NtPasswordHash: MD4 of the password as UTF-16, low byte first. The caller wipes it. */
export function passwordHash(password: string): Uint8Array {
  const unicode = new Uint8Array(Buffer.from(password, 'utf16le'));
  const hash = md4(unicode);
  unicode.fill(0);
  return hash;
}

/** §8.4. The caller wipes it. */
export const passwordHashHash = (hash: Uint8Array): Uint8Array => md4(hash);

/** The name that is hashed: without a domain in front (§4, §8.2). */
export const bareName = (name: string): string => name.slice(name.lastIndexOf('\\') + 1);

export interface Challenges {
  /** 16 bytes each. */
  readonly authenticator: Uint8Array;
  readonly peer: Uint8Array;
  /** As it is in the Response, with or without a domain. */
  readonly username: string;
}

/** §8.2 ChallengeHash: 8 bytes. */
export const challengeHash = ({ authenticator, peer, username }: Challenges): Uint8Array =>
  sha1(concatBytes(peer, authenticator, ascii(bareName(username)))).subarray(0, 8);

/** §8.1, §8.5 GenerateNTResponse: 24 bytes. */
export function ntResponse(challenges: Challenges, hash: Uint8Array): Uint8Array {
  const challenge = challengeHash(challenges);
  const key = new Uint8Array(21);
  key.set(hash);
  const response = concatBytes(
    desEncrypt(challenge, key.subarray(0, 7)),
    desEncrypt(challenge, key.subarray(7, 14)),
    desEncrypt(challenge, key.subarray(14)),
  );
  key.fill(0);
  return response;
}

const TO_CLIENT = ascii('Magic server to client signing constant');
const MORE = ascii('Pad to make it do more than one iteration');

/** §8.7 GenerateAuthenticatorResponse, the 20 bytes that "S=" shows in hexadecimal. */
export function authenticatorResponse(challenges: Challenges, hash: Uint8Array, response: Uint8Array): Uint8Array {
  const hashHash = passwordHashHash(hash);
  const digest = sha1(concatBytes(hashHash, response, TO_CLIENT));
  hashHash.fill(0);
  return sha1(concatBytes(digest, challengeHash(challenges), MORE));
}

const MASTER = ascii('This is the MPPE Master Key');
const CLIENT_SENDS = ascii('On the client side, this is the send key; on the server side, it is the receive key.');
const CLIENT_RECEIVES = ascii('On the client side, this is the receive key; on the server side, it is the send key.');
const PAD_1 = new Uint8Array(40);
const PAD_2 = new Uint8Array(40).fill(0xf2);

/** RFC 3079 §3.4: 16 bytes each. The caller wipes them. */
export interface MppeKeys {
  readonly master: Uint8Array;
  readonly clientSend: Uint8Array;
  readonly clientReceive: Uint8Array;
}

export function mppeKeys(hash: Uint8Array, response: Uint8Array): MppeKeys {
  const hashHash = passwordHashHash(hash);
  const master = sha1(concatBytes(hashHash, response, MASTER)).subarray(0, 16);
  hashHash.fill(0);
  const start = (magic: Uint8Array): Uint8Array => sha1(concatBytes(master, PAD_1, magic, PAD_2)).subarray(0, 16);
  return { master, clientSend: start(CLIENT_SENDS), clientReceive: start(CLIENT_RECEIVES) };
}

/** MSK of EAP-MSCHAPv2: what the server receives with, what it sends with, zeros to 64 bytes. The caller wipes it. */
export function eapMsk(hash: Uint8Array, response: Uint8Array): Uint8Array {
  const keys = mppeKeys(hash, response);
  const msk = new Uint8Array(64);
  msk.set(keys.clientSend);
  msk.set(keys.clientReceive, 16);
  for (const key of Object.values(keys)) key.fill(0);
  return msk;
}
