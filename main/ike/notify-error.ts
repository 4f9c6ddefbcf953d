// What an error notify (RFC 7296 §3.10.1) means for the person in front of it: code, what happened, likely cause, what to do.
import { type Algorithms, algorithmsNamed } from '../crypto/algorithms.ts';
import type { Protocol } from '../crypto/proposal.ts';
import { IkeError, type IkeErrorCode } from './error.ts';
import { NotifyType, notifyName } from './notify.ts';

/** Where the notify came, and what we had asked for: goes into the words. */
export interface NotifyContext {
  /** "IKE_SA_INIT", "IKE_AUTH", … */
  readonly exchange: string;
  /** What the SA that was refused is; undefined: an IKE SA in IKE_SA_INIT, else a CHILD SA. */
  readonly protocol?: Protocol | undefined;
  /** The proposals we made for the SA that was refused. */
  readonly proposals?: readonly string[];
  /** What the peer told of what it would accept. */
  readonly accepted?: Algorithms | undefined;
  /** Our traffic selectors, as text. */
  readonly selectors?: string;
  /** Our identity, as text. */
  readonly identity?: string;
  /** How we authenticated. */
  readonly by?: 'psk' | 'signature' | 'eap' | undefined;
}

/** What to do about AUTHENTICATION_FAILED, which never says why (RFC 7296 §2.21.2). */
const REFUSED = {
  psk: 'check the pre-shared key and our identity in the profile, character by character; if the gateway expects a certificate or a user name and password, a pre-shared key will not do',
  signature:
    'check that our certificate is valid, of an authority that the gateway trusts, and good for our identity; if the gateway expects a pre-shared key or a user name and password, a certificate will not do',
  eap: 'check user name and password, and that the account may connect; the gateway may also expect another identity or another way of authentication',
} as const;

interface Meaning {
  readonly code: IkeErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/** Proposals that were offered, by what is in them. */
const offeredIn = (context: NotifyContext): Algorithms => algorithmsNamed(context.proposals ?? [], protocolOf(context));

const protocolOf = ({ protocol, exchange }: NotifyContext): Protocol =>
  protocol ?? (exchange === 'IKE_SA_INIT' ? 'ike' : 'esp');

/** A few are said in the sentence; more are in `disagreement`. */
const offered = ({ proposals = [] }: NotifyContext): string => {
  const text = proposals.join(', ');
  return proposals.length > 0 && text.length <= MOST_IN_A_SENTENCE ? ` (we offered ${text})` : '';
};

const MOST_IN_A_SENTENCE = 100;

function meaningOf(type: number, name: string, context: NotifyContext): Meaning {
  switch (type) {
    case NotifyType.NO_PROPOSAL_CHOSEN:
      return protocolOf(context) === 'ike'
        ? {
            code: 'no-ike-proposal',
            message: `the gateway accepts none of our IKE proposals${offered(context)}`,
            remedy:
              'ask the administrator which encryption, integrity, PRF and group the gateway allows for IKE, and put them into the profile',
          }
        : {
            code: 'no-child-proposal',
            message: `the gateway accepts none of our ESP proposals${offered(context)}`,
            remedy:
              'ask the administrator which ESP encryption the gateway allows and put it into the profile; some gateways answer so too when transport mode or the tunnel shape does not fit',
          };
    case NotifyType.AUTHENTICATION_FAILED:
      return {
        code: 'refused-by-peer',
        message: `the gateway refused our authentication${context.identity ? ` as ${context.identity}` : ''}`,
        remedy: REFUSED[context.by ?? 'psk'],
      };
    case NotifyType.TS_UNACCEPTABLE:
      return {
        code: 'traffic-selectors',
        message: `the gateway accepts none of our traffic selectors${context.selectors ? ` (${context.selectors})` : ''}`,
        remedy: "compare the tunnel's shape, addresses and protocol in the profile with what the gateway is set up for",
      };
    case NotifyType.SINGLE_PAIR_REQUIRED:
      return {
        code: 'traffic-selectors',
        message: 'the gateway wants one pair of addresses per tunnel, we offered ranges (SINGLE_PAIR_REQUIRED)',
        remedy: "set single addresses as the tunnel's selectors in the profile",
      };
    case NotifyType.INTERNAL_ADDRESS_FAILURE:
      return {
        code: 'no-address',
        message: 'the gateway has no virtual address for us (INTERNAL_ADDRESS_FAILURE)',
        remedy: 'its address pool may be exhausted: try again later, or ask the administrator to enlarge the pool',
      };
    case NotifyType.FAILED_CP_REQUIRED:
      return {
        code: 'no-address',
        message: 'the gateway insists on assigning us a virtual address (FAILED_CP_REQUIRED)',
        remedy: 'let the profile request an address',
      };
    case NotifyType.NO_ADDITIONAL_SAS:
      return {
        code: 'peer-error',
        message: 'the gateway does not want another tunnel in this session (NO_ADDITIONAL_SAS)',
        remedy: 'disconnect and connect again',
      };
    case NotifyType.UNSUPPORTED_CRITICAL_PAYLOAD:
    case NotifyType.INVALID_SYNTAX:
    case NotifyType.INVALID_MAJOR_VERSION:
    case NotifyType.INVALID_MESSAGE_ID:
      return {
        code: 'protocol',
        message: `the gateway does not understand our ${context.exchange} message (${name})`,
        remedy:
          type === NotifyType.INVALID_MAJOR_VERSION
            ? 'the gateway does not speak IKEv2: ask the administrator to enable it'
            : 'this is a fault of either program: save the log and report it',
      };
    case NotifyType.INVALID_IKE_SPI:
      return {
        code: 'peer-error',
        message: 'the gateway does not know our session any more (INVALID_IKE_SPI)',
        remedy: 'it may have restarted: connect again',
      };
    case NotifyType.INVALID_KE_PAYLOAD:
      return {
        code: 'no-ike-proposal',
        message: `the gateway insists on ${context.accepted?.['key-exchange'] ?? 'a key-exchange group'}, which we did not offer${offered(context)}`,
        remedy:
          'add the key exchange that the gateway wants to the IKE proposals of the profile; groups 2 and 5 (modp1024, modp1536) are weak, and need "policy": "legacy" there',
      };
    case NotifyType.TEMPORARY_FAILURE:
      return {
        code: 'peer-error',
        message: 'the gateway cannot do this at the moment (TEMPORARY_FAILURE)',
        remedy: 'try again in a moment',
      };
    default:
      return {
        code: 'peer-error',
        message: `the gateway answered ${context.exchange} with the error ${name}`,
        remedy: "look into the gateway's log at this moment, or ask its administrator to",
      };
  }
}

export function errorOfNotify(type: number, context: NotifyContext): IkeError {
  const name = notifyName(type);
  const meaning = meaningOf(type, name, context);
  const disagreement = meaning.code === 'no-ike-proposal' || meaning.code === 'no-child-proposal';
  return new IkeError({
    ...meaning,
    notify: { type, name },
    exchange: context.exchange,
    ...(disagreement ? { disagreement: { offered: offeredIn(context), accepted: context.accepted ?? {} } } : {}),
  });
}
