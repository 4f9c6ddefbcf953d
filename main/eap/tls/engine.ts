// TLS without a socket: Node's own TLS over a pair of buffers. TLS messages go in and come out, and so does what is inside.
//
// Node's TLS takes some turns of the event loop for each step, none of which waits for anything outside the process; a step
// is over when several turns have brought nothing new.
import { constants, type X509Certificate } from 'node:crypto';
import { Duplex } from 'node:stream';
import {
  checkServerIdentity,
  connect,
  createServer,
  type PeerCertificate,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';

/** Where the other end's certificate is not good, or TLS fails otherwise. */
export interface TlsFailure {
  readonly about: 'certificate' | 'alert' | 'other';
  /** OpenSSL's words. */
  readonly text: string;
}

export interface TlsTurn {
  /** For the other end, alerts included. */
  readonly output: Uint8Array;
  /** What the other end said inside. */
  readonly data: Uint8Array;
  /** The handshake is over and the other end's certificate was good, if it had to show one. */
  readonly secured: boolean;
  readonly failure: TlsFailure | undefined;
}

export interface TlsClientOptions {
  /** 'later': the caller looks at `chain` when the handshake is over. `authorities`: PEM; undefined: Node's own list. */
  readonly trust:
    | 'later'
    | { readonly authorities: readonly string[] | undefined; readonly serverNames: readonly string[] };
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface TlsServerOptions {
  readonly certificate: string;
  readonly key: string;
  /** PEM. Empty: the client need not show a certificate. */
  readonly clientAuthorities: readonly string[];
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/**
 * strongSwan's TLS knows nothing of RFC 5746. What that protects against is data that a man in the middle sends before a
 * renegotiation; EAP's servers never renegotiate, and take nothing before the handshake that we are the other end of.
 */
const WITHOUT_RENEGOTIATION_INFO = constants.SSL_OP_LEGACY_SERVER_CONNECT ?? 0;

/** Turns of the event loop without anything new, after which nothing comes. */
const QUIET_TURNS = 6;
const ROOM = 1 << 20;
const MOST_CERTIFICATES = 16;

export class TlsEngine {
  readonly #wire: Duplex;
  #socket: TLSSocket | undefined;
  #server: Server | undefined;
  #output: Uint8Array[] = [];
  #data: Uint8Array[] = [];
  #secured = false;
  #failure: TlsFailure | undefined;
  #activity = 0;

  private constructor() {
    this.#wire = new Duplex({
      readableHighWaterMark: ROOM,
      writableHighWaterMark: ROOM,
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => {
        this.#output.push(Uint8Array.from(chunk));
        this.#activity++;
        done();
      },
    });
    this.#wire.on('error', () => {});
  }

  /** Throws where certificate or key cannot be read. */
  static client(options: TlsClientOptions): TlsEngine {
    const engine = new TlsEngine();
    const { trust } = options;
    const socket = connect({
      socket: engine.#wire,
      minVersion: 'TLSv1.2',
      secureOptions: WITHOUT_RENEGOTIATION_INFO,
      ...(trust === 'later'
        ? { rejectUnauthorized: false }
        : {
            rejectUnauthorized: true,
            ...(trust.authorities ? { ca: [...trust.authorities] } : {}),
            checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
              nameError(trust.serverNames, certificate),
          }),
      ...(options.certificate ? { cert: options.certificate } : {}),
      ...(options.key ? { key: options.key } : {}),
    });
    socket.once('secureConnect', () => engine.#secure());
    engine.#adopt(socket);
    return engine;
  }

  /** Throws where certificate or key cannot be read. */
  static server(options: TlsServerOptions): TlsEngine {
    const engine = new TlsEngine();
    const demand = options.clientAuthorities.length > 0;
    const settings: TlsOptions = {
      cert: options.certificate,
      key: options.key,
      minVersion: 'TLSv1.2',
      ...(options.maxVersion ? { maxVersion: options.maxVersion } : {}),
      ...(demand ? { ca: [...options.clientAuthorities], requestCert: true, rejectUnauthorized: true } : {}),
    };
    const server = createServer(settings);
    server.on('secureConnection', (socket) => {
      engine.#adopt(socket);
      engine.#secure();
    });
    server.on('tlsClientError', (error) => engine.#fail(error));
    engine.#server = server;
    server.emit('connection', engine.#wire);
    return engine;
  }

  /** What is there to say without having heard anything. */
  start(): Promise<TlsTurn> {
    return this.#settle();
  }

  feed(bytes: Uint8Array): Promise<TlsTurn> {
    if (bytes.length > 0 && !this.#wire.destroyed) this.#wire.push(bytes);
    return this.#settle();
  }

  /** `plain` for the other end's inside; only when secured. */
  write(plain: Uint8Array): Promise<TlsTurn> {
    if (!this.#socket || !this.#secured) throw new RangeError('TLS is not established');
    this.#socket.write(plain);
    return this.#settle();
  }

  get version(): 'TLSv1.2' | 'TLSv1.3' {
    return this.#socket?.getProtocol() === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2';
  }

  /** RFC 5705, RFC 8446 §7.5. The caller wipes it. */
  exportKey(length: number, label: string, context?: Uint8Array): Uint8Array {
    if (!this.#socket || !this.#secured) throw new RangeError('TLS is not established');
    // Without a context, and with an empty one, are different in TLS 1.2.
    const key = context
      ? this.#socket.exportKeyingMaterial(length, label, Buffer.from(context))
      : exportWithoutContext(this.#socket, length, label);
    const copy = Uint8Array.from(key);
    key.fill(0);
    return copy;
  }

  /** The other end's certificate, where it showed one. */
  get certificate(): X509Certificate | undefined {
    return this.#socket?.getPeerX509Certificate();
  }

  /** The other end's certificates as DER, its own first. */
  get chain(): readonly Uint8Array[] {
    const chain: Uint8Array[] = [];
    for (let next = this.certificate; next && chain.length < MOST_CERTIFICATES; next = next.issuerCertificate) {
      // A self-signed one is its own issuer.
      if (chain.some((der) => Buffer.compare(der, next.raw) === 0)) break;
      chain.push(Uint8Array.from(next.raw));
    }
    return chain;
  }

  close(): void {
    this.#socket?.destroy();
    this.#wire.destroy();
    this.#server?.removeAllListeners();
  }

  #adopt(socket: TLSSocket): void {
    this.#socket = socket;
    socket.on('data', (chunk: Uint8Array) => {
      this.#data.push(Uint8Array.from(chunk));
      this.#activity++;
    });
    socket.on('error', (error) => this.#fail(error));
  }

  #secure(): void {
    this.#secured = true;
    this.#activity++;
  }

  #fail(error: Error): void {
    this.#activity++;
    this.#secured = false;
    this.#failure ??= failureOf(error);
  }

  async #settle(): Promise<TlsTurn> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const before = this.#activity;
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = this.#activity === before ? quiet + 1 : 0;
    }
    const output = Uint8Array.from(Buffer.concat(this.#output));
    const data = Uint8Array.from(Buffer.concat(this.#data));
    for (const part of this.#data) part.fill(0);
    this.#output = [];
    this.#data = [];
    return { output, data, secured: this.#secured, failure: this.#failure };
  }
}

/** Node allows it; its type does not say so. */
const exportWithoutContext = (socket: TLSSocket, length: number, label: string): Buffer =>
  Reflect.apply(socket.exportKeyingMaterial, socket, [length, label]);

/** The certificate has one of the names; otherwise why not. */
function nameError(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  if (names.some((name) => checkServerIdentity(name, certificate) === undefined)) return undefined;
  const has = certificate.subjectaltname ?? certificate.subject?.CN ?? 'no name';
  return Object.assign(new Error(`it is for ${has}, not for ${names.join(' or ') || 'any expected name'}`), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
}

function failureOf(error: Error): TlsFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  // OpenSSL names alerts of the other end so; our own findings about its certificate have other codes.
  if (/ALERT/.test(code)) return { about: 'alert', text: reason };
  if (/^(?:ERR_SSL|ERR_OSSL|EPROTO|ECONNRESET)/.test(code)) return { about: 'other', text: reason };
  return { about: 'certificate', text: code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? error.message : reason };
}
