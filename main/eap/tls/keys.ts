// The MSK of methods over TLS: RFC 5216 §2.3 (TLS 1.2), RFC 9190 §2.3 and RFC 9427 §2.1 (TLS 1.3), RFC 5281 §8.
import { EAP_TYPE } from '../packet.ts';
import type { TlsEngine } from './engine.ts';

const LABEL_12: Readonly<Record<number, string>> = {
  [EAP_TYPE.tls]: 'client EAP encryption',
  [EAP_TYPE.ttls]: 'ttls keying material',
  [EAP_TYPE.peap]: 'client EAP encryption',
};

const LABEL_13 = 'EXPORTER_EAP_TLS_Key_Material';

/** 128 bytes, MSK and EMSK. The caller wipes them. */
export const keyMaterial = (engine: TlsEngine, type: number): Uint8Array =>
  engine.version === 'TLSv1.3'
    ? engine.exportKey(128, LABEL_13, Uint8Array.of(type))
    : engine.exportKey(128, LABEL_12[type] ?? 'client EAP encryption');

/**
 * What may be the beginning of PEAP's tunnel key: of the key material (RFC 9427 §2.3), and of hostapd's, which asks the exporter
 * of TLS 1.3 for 64 bytes and gets others. The caller wipes them.
 */
export const tunnelKeys = (engine: TlsEngine): readonly Uint8Array[] => [
  keyMaterial(engine, EAP_TYPE.peap),
  ...(engine.version === 'TLSv1.3' ? [engine.exportKey(64, LABEL_13, Uint8Array.of(EAP_TYPE.peap))] : []),
];

/** 64 bytes of MSK. The caller wipes them. */
export function tlsMsk(engine: TlsEngine, type: number): Uint8Array {
  const material = keyMaterial(engine, type);
  const msk = material.slice(0, 64);
  material.fill(0);
  return msk;
}
