// The words of proposals, as strongSwan writes them, and the transforms that they stand for. One table, read both ways.
import { sameTransform, type Transform, TransformType, transform } from './transform.ts';

const { ENCR, PRF, INTEG, KE, ESN } = TransformType;

/** The first word of a transform is the one it is written with; those behind it are accepted too. */
const TABLE: readonly (readonly [words: readonly string[], transform: Transform])[] = [
  [['aes256gcm16', 'aes256gcm128', 'aes256gcm'], transform(ENCR, 20, 256)],
  [['aes192gcm16', 'aes192gcm128', 'aes192gcm'], transform(ENCR, 20, 192)],
  [['aes128gcm16', 'aes128gcm128', 'aes128gcm', 'aesgcm'], transform(ENCR, 20, 128)],
  [['chacha20poly1305'], transform(ENCR, 28)],
  [['aes256', 'aes256cbc'], transform(ENCR, 12, 256)],
  [['aes192', 'aes192cbc'], transform(ENCR, 12, 192)],
  [['aes128', 'aes128cbc', 'aes'], transform(ENCR, 12, 128)],
  [['aes256ctr'], transform(ENCR, 13, 256)],
  [['aes192ctr'], transform(ENCR, 13, 192)],
  [['aes128ctr', 'aesctr'], transform(ENCR, 13, 128)],
  [['sha256', 'sha2_256'], transform(INTEG, 12)],
  [['sha384', 'sha2_384'], transform(INTEG, 13)],
  [['sha512', 'sha2_512'], transform(INTEG, 14)],
  [['sha1', 'sha'], transform(INTEG, 2)],
  [['prfsha256'], transform(PRF, 5)],
  [['prfsha384'], transform(PRF, 6)],
  [['prfsha512'], transform(PRF, 7)],
  [['prfsha1'], transform(PRF, 2)],
  [['ecp256'], transform(KE, 19)],
  [['x25519', 'curve25519'], transform(KE, 31)],
  [['ecp384'], transform(KE, 20)],
  [['modp2048'], transform(KE, 14)],
  [['noesn'], transform(ESN, 0)],
  [['esn'], transform(ESN, 1)],
];

/** What encrypts nothing (RFC 2410, RFC 4543): understood, but refused unless a test asks for it (proposal.ts). */
const UNENCRYPTED: typeof TABLE = [
  [['null'], transform(ENCR, 11)],
  [['aes256gmac'], transform(ENCR, 21, 256)],
  [['aes192gmac'], transform(ENCR, 21, 192)],
  [['aes128gmac'], transform(ENCR, 21, 128)],
];

const ALL = [...TABLE, ...UNENCRYPTED];

const BY_WORD: ReadonlyMap<string, Transform> = new Map(
  ALL.flatMap(([words, of]) => words.map((word) => [word, of] as const)),
);

/** Every word that a person may write, for suggestions. */
export const WORDS: readonly string[] = TABLE.flatMap(([words]) => words);

export const transformOf = (word: string): Transform | undefined => BY_WORD.get(word);

const NAMES: Readonly<Record<number, string>> = {
  [ENCR]: 'encr',
  [PRF]: 'prf',
  [INTEG]: 'integ',
  [KE]: 'ke',
  [ESN]: 'esn',
};

/** The word of a transform; "encr-99" style for one that we do not know. */
export const wordOf = (of: Transform): string =>
  ALL.find(([, known]) => sameTransform(known, of))?.[0][0] ?? `${NAMES[of.type] ?? `type${of.type}`}:${of.id}`;
