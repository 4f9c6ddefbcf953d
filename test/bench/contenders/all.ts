// Everybody who takes part, in the order of the tables.
import { bare } from './bare.ts';
import type { Contender, Link, Recipe } from './contender.ts';
import { culvert } from './culvert.ts';
import { openVpn } from './openvpn.ts';
import { strongSwan } from './strongswan.ts';
import { wireGuardGo } from './wireguard.ts';

export function everyTunnel(): readonly Recipe[] {
  return [
    bare(),
    culvert('aes128gcm16'),
    culvert('aes256gcm16'),
    culvert('chacha20poly1305'),
    openVpn('AES-128-GCM'),
    openVpn('AES-256-GCM'),
    openVpn('CHACHA20-POLY1305'),
    wireGuardGo(),
    strongSwan('aes128gcm16'),
    strongSwan('chacha20poly1305'),
  ];
}

/** One of each product, where the cipher does not matter. */
export function everyProduct(): readonly Recipe[] {
  return [culvert('aes128gcm16'), openVpn('AES-256-GCM'), wireGuardGo(), strongSwan('aes128gcm16')];
}

export interface Opened {
  readonly contenders: readonly Contender[];
  /** Who does not take part, and why. */
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Brings up all that can be. A package that is not installed leaves its contender out with the reason; a peer that does not
 * come up does too, but Culvert must. `opened` is told of each at once, so that the caller can close them whatever happens.
 */
export async function openAll(
  recipes: readonly Recipe[],
  link: Link,
  opened: (contender: Contender) => void,
): Promise<Opened> {
  const contenders: Contender[] = [];
  const absent: { name: string; reason: string }[] = [];
  for (const recipe of recipes) {
    if (recipe.missing !== undefined) {
      absent.push({ name: recipe.name, reason: recipe.missing });
      continue;
    }
    try {
      const contender = await recipe.open(link);
      opened(contender);
      contenders.push(contender);
    } catch (error) {
      if (recipe.product === 'culvert' || recipe.product === 'bare') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      absent.push({ name: recipe.name, reason: `did not come up: ${reason.slice(0, 500)}` });
    }
  }
  return { contenders, absent };
}
