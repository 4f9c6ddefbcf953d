// The demo's command line.
import { parseArgs } from 'node:util';

export const DEMO_SHAPES = ['gre-tunnel', 'gre-transport', 'esp-tunnel'] as const;
export type DemoShape = (typeof DEMO_SHAPES)[number];
export const DEMO_CIPHERS = ['aes128gcm16', 'aes256gcm16', 'chacha20poly1305'] as const;
export type DemoCipher = (typeof DEMO_CIPHERS)[number];

export interface DemoOptions {
  readonly shape: DemoShape;
  readonly cipher: DemoCipher;
  /** Without privilege and without adapters, though we could. */
  readonly loopback: boolean;
  /** Seconds of each throughput measurement. */
  readonly seconds: number;
}

export const DEMO_USAGE = `usage: npm run demo -- [options]

  --shape <shape>    ${DEMO_SHAPES.join(', ')} (default: gre-tunnel)
  --cipher <cipher>  ${DEMO_CIPHERS.join(', ')} (default: aes128gcm16)
  --seconds <n>      length of each throughput measurement, 1 to 60 (default: 2)
  --loopback         over 127.0.0.1 with adapters in memory, as it runs without root
  --help             this text`;

/** A string is what to tell the person: the usage, or what is wrong with the command line. */
export function parseDemoOptions(
  args: readonly string[],
): DemoOptions | { readonly text: string; readonly wrong: boolean } {
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...args],
      options: {
        shape: { type: 'string', default: 'gre-tunnel' },
        cipher: { type: 'string', default: 'aes128gcm16' },
        seconds: { type: 'string', default: '2' },
        loopback: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  if (values.help) return { text: DEMO_USAGE, wrong: false };
  const shape = DEMO_SHAPES.find((known) => known === values.shape);
  if (!shape) return wrong(`There is no shape "${values.shape}".`);
  const cipher = DEMO_CIPHERS.find((known) => known === values.cipher);
  if (!cipher) return wrong(`There is no cipher "${values.cipher}".`);
  const seconds = Number(values.seconds);
  if (!(seconds >= 1 && seconds <= 60)) return wrong(`"${values.seconds}" is not a number of seconds from 1 to 60.`);
  return { shape, cipher, seconds, loopback: values.loopback === true };
}

function wrong(problem: string): { readonly text: string; readonly wrong: true } {
  return { text: `${problem}\n\n${DEMO_USAGE}`, wrong: true };
}
