// The words of proposals, as strongSwan writes them, and the transforms that they stand for. One table, read both ways.
import { isAdditional, sameTransform, type Transform, TransformType, transform } from './transform.ts';

const { ENCR, PRF, INTEG, KE, ESN, ADDKE1 } = TransformType;

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
  [['ecp521'], transform(KE, 21)],
  [['x448', 'curve448'], transform(KE, 32)],
  [['modp2048'], transform(KE, 14)],
  [['modp3072'], transform(KE, 15)],
  [['modp4096'], transform(KE, 16)],
  [['modp1536'], transform(KE, 5)],
  [['modp1024'], transform(KE, 2)],
  [['mlkem768'], transform(KE, 36)],
  [['mlkem1024'], transform(KE, 37)],
  [['mlkem512'], transform(KE, 35)],
  // Behind others of its type: the key exchange may be left out (RFC 7296 §1.3).
  [['none'], transform(KE, 0)],
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

/** "ke1_mlkem768": additional key exchange 1 (RFC 9370) with the method of a word of type 4. */
const ADDITIONAL = /^ke([1-7])_(.+)$/;

export function transformOf(word: string): Transform | undefined {
  const [, number, method] = ADDITIONAL.exec(word) ?? [];
  if (number === undefined || method === undefined) return BY_WORD.get(word);
  const found = BY_WORD.get(method);
  return found?.type === KE ? transform(ADDKE1 - 1 + Number(number), found.id) : undefined;
}

const NAMES: Readonly<Record<number, string>> = {
  [ENCR]: 'encr',
  [PRF]: 'prf',
  [INTEG]: 'integ',
  [KE]: 'ke',
  [ESN]: 'esn',
};

/** The word of a transform; "encr-99" style for one that we do not know. */
export function wordOf(of: Transform): string {
  if (isAdditional(of.type)) return `ke${of.type - ADDKE1 + 1}_${wordOf({ ...of, type: KE })}`;
  const word = ALL.find(([, known]) => sameTransform(known, of))?.[0][0];
  return word ?? `${NAMES[of.type] ?? `type${of.type}`}:${of.id}`;
}
