// The EAP authenticator (RFC 3748 §2.2, §4): asks for the identity, proposes its methods one after another as Naks leave
// them, runs one, and says how it ended. The same machine runs inside the tunnels of TTLS and PEAP.
import type { RandomBytes } from '../crypto/random.ts';
import { isWireError } from '../wire/error.ts';
import type { ServerMethod, ServerMethodStep } from './method.ts';
import { decodeEap, EAP_TYPE, eapTypeName, encodeEap } from './packet.ts';
import type { EapServer, EapServerStep } from './types.ts';

export interface ServerMethodChoice {
  readonly type: number;
  readonly make: (identity: string) => ServerMethod;
}

export interface ServerConversationConfig {
  readonly methods: readonly ServerMethodChoice[];
  readonly askIdentity: boolean;
  readonly random: RandomBytes;
}

const EMPTY = new Uint8Array(0);

export class ServerConversation implements EapServer {
  readonly #config: ServerConversationConfig;
  readonly #untried: ServerMethodChoice[];
  #identity = '';
  #method: ServerMethod | undefined;
  /** The peer has answered the method's first Request: no Nak any more. */
  #agreed = false;
  #identifier: number;
  #last: EapServerStep = { state: 'failure', packet: EMPTY, because: 'not begun' };
  #busy: Promise<unknown> = Promise.resolve();

  constructor(config: ServerConversationConfig) {
    this.#config = config;
    this.#untried = [...config.methods];
    this.#identifier = config.random(1)[0]!;
  }

  begin(identity: string): Promise<EapServerStep> {
    this.#identity = identity;
    return this.#queue(() => (this.#config.askIdentity ? this.#request(EAP_TYPE.identity, EMPTY) : this.#propose()));
  }

  process(packet: Uint8Array): Promise<EapServerStep> {
    const bytes = Uint8Array.from(packet);
    return this.#queue(() => this.#take(bytes));
  }

  /** Of the last Request. */
  get identifier(): number {
    return this.#identifier;
  }

  close(): void {
    this.#method?.close();
    this.#method = undefined;
    this.#last = { state: 'failure', packet: EMPTY, because: 'closed' };
  }

  #queue(make: () => EapServerStep | Promise<EapServerStep>): Promise<EapServerStep> {
    const step = this.#busy.then(async () => {
      try {
        this.#last = await make();
      } catch (error) {
        this.#last = this.#fail(error instanceof Error ? error.message : String(error));
      }
      return this.#last;
    });
    this.#busy = step;
    return step;
  }

  #take(bytes: Uint8Array): EapServerStep | Promise<EapServerStep> {
    const packet = decodeEap(bytes);
    // Not an answer to the last Request: that comes again, and the method does not hear of it (§4.1).
    if (isWireError(packet) || packet.kind !== 'response' || packet.identifier !== this.#identifier) return this.#last;
    if (this.#last.state !== 'under-way') return this.#last;
    const { type, data } = packet;
    if (this.#method === undefined) {
      if (type !== EAP_TYPE.identity) return this.#last;
      this.#identity = new TextDecoder().decode(data);
      return this.#propose();
    }
    if (type === EAP_TYPE.nak && !this.#agreed) return this.#propose(data);
    if (type !== this.#method.type) return this.#last;
    this.#agreed = true;
    return this.#run(this.#method, data);
  }

  /** The next method; of those that a Nak names, where there was one. */
  async #propose(named?: Uint8Array): Promise<EapServerStep> {
    this.#method?.close();
    this.#method = undefined;
    const at = this.#untried.findIndex((choice) => named === undefined || named.includes(choice.type));
    const choice = this.#untried[at];
    if (!choice) {
      const wanted = [...(named ?? [])].filter((type) => type !== 0).map(eapTypeName);
      return this.#fail(`no method in common${wanted.length > 0 ? `, the peer wants ${wanted.join(', ')}` : ''}`);
    }
    this.#untried.splice(at, 1);
    this.#method = choice.make(this.#identity);
    return this.#request(choice.type, await this.#method.begin((this.#identifier + 1) & 0xff));
  }

  async #run(method: ServerMethod, data: Uint8Array): Promise<EapServerStep> {
    const step: ServerMethodStep = await method.process(data, (this.#identifier + 1) & 0xff);
    switch (step.kind) {
      case 'request':
        return this.#request(method.type, step.data);
      case 'success':
        return {
          state: 'success',
          packet: encodeEap({ kind: 'success', identifier: this.#identifier }),
          msk: step.msk,
          identity: step.identity,
        };
      case 'failure':
        return this.#fail(step.because);
      case 'ignore':
        return this.#last;
    }
  }

  #request(type: number, data: Uint8Array): EapServerStep {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return {
      state: 'under-way',
      packet: encodeEap({ kind: 'request', identifier: this.#identifier, type, data }),
    };
  }

  #fail(because: string): EapServerStep {
    return { state: 'failure', packet: encodeEap({ kind: 'failure', identifier: this.#identifier }), because };
  }
}
