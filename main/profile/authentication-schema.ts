// The keys of `authentication` and `gateway.authentication` in a profile file (zod). Which of them belong to which method is
// authentication-check.ts; what they become is authentication.ts. Values of type `z.unknown` are secrets, certificates and keys in the
// forms of secret.ts, whose messages never show them.
import { z } from 'zod';
import { type Wrong, wrongIdentity, wrongText } from './values.ts';

const text = (wrong: (value: string) => Wrong) =>
  z.string().superRefine((value, context) => {
    const message = wrong(value);
    if (message) context.addIssue({ code: 'custom', message });
  });

export const METHODS = ['psk', 'certificate', 'eap'] as const;
export const EAP_METHODS = ['tls', 'ttls', 'peap', 'mschapv2', 'gtc', 'otp', 'md5'] as const;
export const EAP_INNER = ['pap', 'mschapv2', 'eap-mschapv2', 'eap-gtc', 'eap-otp', 'eap-md5', 'eap-tls'] as const;

const material = z.unknown().optional();
const materials = z.array(z.unknown()).min(1).max(32);

const EAP = z.strictObject({
  methods: z.array(z.enum(EAP_METHODS)).min(1).max(EAP_METHODS.length),
  username: text(wrongText).nullish(),
  password: text(wrongText).nullish(),
  anonymousIdentity: text(wrongText).nullish(),
  inner: z.array(z.enum(EAP_INNER)).min(1).max(EAP_INNER.length).optional(),
  gtc: z.enum(['password', 'code']).optional(),
  authorities: materials.nullish(),
  serverNames: z.array(text(wrongText)).min(1).max(16).optional(),
  certificate: material,
  key: material,
  pkcs12: material,
  passphrase: text(wrongText).nullish(),
  gatewayByEap: z.boolean().optional(),
});

const STORED_KEY = z.strictObject({
  store: text(wrongText),
  label: text(wrongText).optional(),
  id: z.string().optional(),
});

const ROUND = {
  method: z.enum(METHODS),
  identity: text(wrongIdentity).nullish(),
  secret: material,
  certificate: material,
  key: material,
  pkcs12: material,
  passphrase: text(wrongText).nullish(),
  storedKey: STORED_KEY.optional(),
  rsaPadding: z.enum(['pss', 'pkcs1']).optional(),
  eap: EAP.optional(),
} as const;

export const AUTHENTICATION = z.strictObject({
  ...ROUND,
  ppk: z.strictObject({ id: text(wrongText), secret: material, required: z.boolean().optional() }).optional(),
  second: z.strictObject(ROUND).optional(),
});

export const GATEWAY_AUTHENTICATION = z.strictObject({
  method: z.enum(['psk', 'certificate']),
  secret: material,
  authorities: materials.nullish(),
  revocation: z.enum(['off', 'soft', 'strict']).optional(),
  crls: materials.optional(),
  legacy: z.boolean().optional(),
});

export type AuthenticationFile = z.infer<typeof AUTHENTICATION>;
export type RoundFile = Omit<AuthenticationFile, 'ppk' | 'second'>;
export type EapFile = NonNullable<AuthenticationFile['eap']>;
export type GatewayAuthenticationFile = z.infer<typeof GATEWAY_AUTHENTICATION>;
