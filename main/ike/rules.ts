// Which payloads a message may have, as a table (RFC 7296 §1.2, §1.3, §1.4, Appendix C; RFC 9242, RFC 9370). A message of an
// exchange and a direction has one of several forms; it is legal when it fits one. Order does not matter (§2.5), vendor
// IDs and notifies may be in any form, and payloads that we do not know are skipped unless they are critical.
import { Exchange, type ExchangeType, exchangeName, type Message } from './message.ts';
import { isErrorNotify, NotifyType } from './notify.ts';
import type { Payload, PayloadKind, PayloadOf } from './payload/payload.ts';

/** How many of a kind there may be. */
type Count = readonly [least: number, most: number];

const ONE: Count = [1, 1];
const MAYBE: Count = [0, 1];
/** "As many as you like", bounded so that a message cannot keep us busy. */
const SOME: Count = [0, 32];
const AT_LEAST_ONE: Count = [1, 32];

export type FormName =
  /** What the exchange is for. */
  | 'normal'
  /** IKE_AUTH with EAP: the rounds in the middle, and the AUTH that ends them. */
  | 'eap'
  | 'eap-end'
  /** The end of a second authentication without EAP: the responder has proved itself before (RFC 4739 §2.4). */
  | 'second-end'
  /** IKE_AUTH authenticated, without a CHILD SA: it was refused (§1.2), or none was asked for (RFC 6023). */
  | 'childless'
  /** CREATE_CHILD_SA that rekeys the IKE SA. */
  | 'rekey-ike'
  /** A response that only says no, or asks for a retry: notifies alone. */
  | 'refusal';

interface Form {
  readonly name: FormName;
  readonly counts: Readonly<Partial<Record<PayloadKind, Count>>>;
}

/** Allowed in every form. */
const ALWAYS: Form['counts'] = { notify: SOME, vendor: SOME, unknown: SOME };

const form = (name: FormName, counts: Form['counts']): Form => ({ name, counts: { ...ALWAYS, ...counts } });

const REFUSAL = form('refusal', { notify: AT_LEAST_ONE });
const CHILD: Form['counts'] = { sa: ONE, tsi: ONE, tsr: ONE };
const CERTS: Form['counts'] = { cert: SOME, certreq: SOME };

interface Rule {
  /** Inside an Encrypted payload. */
  readonly protected: boolean;
  /** Tried in this order. */
  readonly request: readonly Form[];
  readonly response: readonly Form[];
  /** Status notifies that mean something here; the others are ignored. */
  readonly notifies: readonly number[];
}

const N = NotifyType;

const INFORMATION = form('normal', { delete: SOME, cp: MAYBE });
const CHILD_NOTIFIES = [
  N.ADDITIONAL_TS_POSSIBLE,
  N.IPCOMP_SUPPORTED,
  N.USE_TRANSPORT_MODE,
  N.ESP_TFC_PADDING_NOT_SUPPORTED,
  N.NON_FIRST_FRAGMENTS_ALSO,
  N.SET_WINDOW_SIZE,
  N.USE_AGGFRAG,
];

const RULES: { readonly [K in ExchangeType]: Rule } = {
  [Exchange.IKE_SA_INIT]: {
    protected: false,
    request: [form('normal', { sa: ONE, ke: ONE, nonce: ONE, puzzle: MAYBE })],
    response: [form('normal', { sa: ONE, ke: ONE, nonce: ONE, certreq: SOME }), REFUSAL],
    notifies: [
      N.COOKIE,
      N.NAT_DETECTION_SOURCE_IP,
      N.NAT_DETECTION_DESTINATION_IP,
      N.HTTP_CERT_LOOKUP_SUPPORTED,
      N.REDIRECT_SUPPORTED,
      N.REDIRECT,
      N.REDIRECTED_FROM,
      N.CHILDLESS_IKEV2_SUPPORTED,
      N.IKEV2_FRAGMENTATION_SUPPORTED,
      N.SIGNATURE_HASH_ALGORITHMS,
      N.PUZZLE,
      N.USE_PPK,
      N.INTERMEDIATE_EXCHANGE_SUPPORTED,
    ],
  },
  // RFC 5723 §4.3.2: in the place of IKE_SA_INIT, with keys from a ticket.
  [Exchange.IKE_SESSION_RESUME]: {
    protected: false,
    request: [form('normal', { nonce: ONE, puzzle: MAYBE })],
    response: [form('normal', { nonce: ONE }), REFUSAL],
    notifies: [
      N.COOKIE,
      N.PUZZLE,
      N.NAT_DETECTION_SOURCE_IP,
      N.NAT_DETECTION_DESTINATION_IP,
      N.REDIRECT_SUPPORTED,
      N.REDIRECT,
      N.REDIRECTED_FROM,
      N.TICKET_OPAQUE,
      N.TICKET_NACK,
      N.IKEV2_FRAGMENTATION_SUPPORTED,
      N.SIGNATURE_HASH_ALGORITHMS,
      N.CHILDLESS_IKEV2_SUPPORTED,
    ],
  },
  [Exchange.IKE_INTERMEDIATE]: {
    protected: true,
    request: [form('normal', { ke: MAYBE })],
    response: [form('normal', { ke: MAYBE })],
    notifies: [],
  },
  [Exchange.IKE_AUTH]: {
    protected: true,
    request: [
      // Without AUTH the initiator asks for EAP (§2.16).
      form('normal', { idi: ONE, idr: MAYBE, puzzle: MAYBE, ...CERTS, auth: MAYBE, cp: MAYBE, ...CHILD }),
      form('childless', { idi: ONE, idr: MAYBE, puzzle: MAYBE, ...CERTS, auth: MAYBE, cp: MAYBE }),
      form('eap', { eap: ONE }),
      form('eap-end', { auth: ONE }),
    ],
    response: [
      form('normal', { idr: ONE, cert: SOME, auth: ONE, cp: MAYBE, ...CHILD }),
      form('eap', { idr: MAYBE, cert: SOME, auth: MAYBE, eap: ONE }),
      form('eap-end', { auth: ONE, cp: MAYBE, ...CHILD }),
      form('second-end', { cp: MAYBE, ...CHILD }),
      form('childless', { idr: MAYBE, cert: SOME, auth: ONE, cp: MAYBE }),
      REFUSAL,
    ],
    notifies: [
      ...CHILD_NOTIFIES,
      N.INITIAL_CONTACT,
      N.HTTP_CERT_LOOKUP_SUPPORTED,
      N.MOBIKE_SUPPORTED,
      N.ADDITIONAL_IP4_ADDRESS,
      N.ADDITIONAL_IP6_ADDRESS,
      N.NO_ADDITIONAL_ADDRESSES,
      N.NO_NATS_ALLOWED,
      N.AUTH_LIFETIME,
      N.MULTIPLE_AUTH_SUPPORTED,
      N.ANOTHER_AUTH_FOLLOWS,
      N.REDIRECT,
      N.TICKET_REQUEST,
      N.TICKET_LT_OPAQUE,
      N.TICKET_ACK,
      N.TICKET_NACK,
      N.EAP_ONLY_AUTHENTICATION,
      N.QUICK_CRASH_DETECTION,
      N.IKEV2_MESSAGE_ID_SYNC_SUPPORTED,
      N.IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED,
      N.PPK_IDENTITY,
      N.NO_PPK_AUTH,
      N.IP4_ALLOWED,
      N.IP6_ALLOWED,
    ],
  },
  [Exchange.CREATE_CHILD_SA]: {
    protected: true,
    request: [form('normal', { nonce: ONE, ke: MAYBE, ...CHILD }), form('rekey-ike', { sa: ONE, nonce: ONE, ke: ONE })],
    response: [
      form('normal', { nonce: ONE, ke: MAYBE, ...CHILD }),
      form('rekey-ike', { sa: ONE, nonce: ONE, ke: ONE }),
      REFUSAL,
    ],
    notifies: [...CHILD_NOTIFIES, N.REKEY_SA, N.ADDITIONAL_KEY_EXCHANGE],
  },
  [Exchange.IKE_FOLLOWUP_KE]: {
    protected: true,
    request: [form('normal', { ke: ONE })],
    response: [form('normal', { ke: ONE }), REFUSAL],
    notifies: [N.ADDITIONAL_KEY_EXCHANGE],
  },
  [Exchange.INFORMATIONAL]: {
    protected: true,
    // Nothing at all asks for, and gives, a sign of life (§1.4).
    request: [INFORMATION],
    response: [INFORMATION],
    notifies: [
      N.INITIAL_CONTACT,
      N.SET_WINDOW_SIZE,
      N.NAT_DETECTION_SOURCE_IP,
      N.NAT_DETECTION_DESTINATION_IP,
      N.ADDITIONAL_IP4_ADDRESS,
      N.ADDITIONAL_IP6_ADDRESS,
      N.NO_ADDITIONAL_ADDRESSES,
      N.UPDATE_SA_ADDRESSES,
      N.COOKIE2,
      N.NO_NATS_ALLOWED,
      N.AUTH_LIFETIME,
      N.REDIRECT,
      N.TICKET_REQUEST,
      N.TICKET_LT_OPAQUE,
      N.TICKET_ACK,
      N.TICKET_NACK,
      N.QUICK_CRASH_DETECTION,
      N.IKEV2_MESSAGE_ID_SYNC,
      N.IPSEC_REPLAY_COUNTER_SYNC,
    ],
  },
};

/** Why a message may not be, and the error notify that says so to a requester (RFC 7296 §2.5, §2.21). */
export type Violation =
  /** `payloadType` is the one octet of notification data. */
  | { readonly kind: 'critical'; readonly notify: 1; readonly payloadType: number; readonly text: string }
  /** Protected when it should not be, or the reverse: never answered. */
  | { readonly kind: 'protection'; readonly notify: undefined; readonly text: string }
  /** Payloads missing, too many, or out of place. */
  | { readonly kind: 'payloads'; readonly notify: 7; readonly text: string };

/** Says what is illegal about a message, if anything. */
export function checkMessage(message: Message): Violation | undefined {
  const { header, payloads } = message;
  const rule = RULES[header.exchange];
  const name = `${exchangeName(header.exchange)} ${header.response ? 'response' : 'request'}`;
  if (message.protected !== rule.protected)
    return {
      kind: 'protection',
      notify: undefined,
      text: `${name} ${rule.protected ? 'is not' : 'is'} inside an Encrypted payload`,
    };
  for (const payload of payloads)
    if (payload.kind === 'unknown' && payload.critical)
      return {
        kind: 'critical',
        notify: N.UNSUPPORTED_CRITICAL_PAYLOAD,
        payloadType: payload.type,
        text: `${name} has a critical payload of unknown type ${payload.type}`,
      };
  if (formOf(message)) return undefined;
  const expected = formsOf(message)[0];
  return {
    kind: 'payloads',
    notify: N.INVALID_SYNTAX,
    text: `${name} has the wrong payloads: ${expected ? misfit(expected, payloads) : 'none are allowed'}`,
  };
}

/** The form that a message has; undefined where it fits none. */
export function formOf(message: Message): FormName | undefined {
  return formsOf(message).find((candidate) => misfit(candidate, message.payloads) === undefined)?.name;
}

/**
 * The notifies that count: every error, and the status types that mean something in this exchange. Unknown status types
 * are ignored (RFC 7296 §3.10.1).
 */
export function notifiesOf(message: Message): readonly PayloadOf<'notify'>[] {
  const { notifies } = RULES[message.header.exchange];
  return message.payloads.filter(
    (payload): payload is PayloadOf<'notify'> =>
      payload.kind === 'notify' && (isErrorNotify(payload.type) || notifies.includes(payload.type)),
  );
}

const formsOf = ({ header }: Message): readonly Form[] =>
  RULES[header.exchange][header.response ? 'response' : 'request'];

/** Why the payloads do not have a form. */
function misfit(of: Form, payloads: readonly Payload[]): string | undefined {
  const seen = new Map<PayloadKind, number>();
  for (const { kind } of payloads) seen.set(kind, (seen.get(kind) ?? 0) + 1);
  for (const [kind, count] of seen) {
    const [, most] = of.counts[kind] ?? [0, 0];
    if (count > most) return `${count} of "${kind}", at most ${most} may be`;
  }
  for (const [kind, count] of Object.entries(of.counts))
    if ((seen.get(kind as PayloadKind) ?? 0) < count[0]) return `"${kind}" is missing`;
  return undefined;
}
