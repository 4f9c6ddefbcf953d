// PEM (RFC 7468): the blocks of a text, in order. Text around and between blocks is ignored, as openssl's own files have it.

export interface PemBlock {
  /** "CERTIFICATE", "PRIVATE KEY", "X509 CRL", … */
  readonly label: string;
  /** The whole block, for libraries that read it themselves. */
  readonly text: string;
  readonly der: Uint8Array;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;

export function pemBlocks(text: string): readonly PemBlock[] {
  return Array.from(text.matchAll(BLOCK), ([block, label, body]) => {
    // RFC 1421 headers (Proc-Type, DEK-Info of old encrypted keys) are lines with a colon.
    const base64 = body!
      .split('\n')
      .filter((line) => !line.includes(':'))
      .join('');
    return { label: label!, text: block, der: Uint8Array.from(Buffer.from(base64, 'base64')) };
  });
}

/**
 * The DER objects of a file that is PEM or DER: the blocks with one of the labels, or the bytes themselves where there is no PEM.
 */
export function derObjects(file: Uint8Array, labels: readonly string[]): readonly Uint8Array[] {
  // Every DER object that we read is a SEQUENCE (0x30, "0"); a file that begins with it is PEM only if it has a block.
  const blocks = pemBlocks(Buffer.from(file).toString('latin1'));
  return blocks.length > 0 ? blocks.filter(({ label }) => labels.includes(label)).map(({ der }) => der) : [file];
}

export const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE'] as const;
export const CRL_LABELS = ['X509 CRL'] as const;
