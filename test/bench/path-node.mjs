// The peer of the path benchmark: what a client without a packet core would do on the same socket pairs and sockets, with
// node:crypto (KeyObject keys) and one system call a packet. It writes an ESP header, IV and tag, and nothing else: no GRE, no
// replay window, no selectors. Sealing and opening take turns on the caller's thread.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { libc } from '../../build/out/main/native/libc.js';
import { sockaddrOf } from '../../build/out/main/native/sockaddr.js';

const HEADER = 8;
const IV = 8;
const TAG = 16;
const TURN = 32;
const NAMES = { 'aes-gcm-16': ['aes-128-gcm', 16], 'chacha20-poly1305': ['chacha20-poly1305', 32] };

/** Returns the turn: packets from `tun` go out of `socket` to `peer`; what `peer` got is opened into `far`. */
export function nodePath({ tun, far, socket, peer, cipher }) {
  const calls = libc();
  const [name, length] = NAMES[cipher];
  const key = createSecretKey(randomBytes(length));
  const to = sockaddrOf(peer.local.address, peer.local.port);
  const [packet, datagram] = [Buffer.alloc(2048), Buffer.alloc(2048)];
  const sealed = Buffer.alloc(2048);
  const nonce = Buffer.alloc(12);
  let sequence = 0;
  return () => {
    for (let i = 0; i < TURN; i++) {
      const size = calls.readBytes(tun, packet);
      if (size <= 0) break;
      sealed.writeUInt32BE(0x1002, 0);
      sealed.writeUInt32BE(++sequence, 4);
      sealed.writeUInt32BE(0, 8);
      sealed.writeUInt32BE(sequence, 12);
      sealed.copy(nonce, 4, HEADER, HEADER + IV);
      const sealing = createCipheriv(name, key, nonce, { authTagLength: TAG });
      sealing.setAAD(sealed.subarray(0, HEADER), { plaintextLength: size });
      sealing.update(packet.subarray(0, size)).copy(sealed, HEADER + IV);
      sealing.final();
      sealing.getAuthTag().copy(sealed, HEADER + IV + size);
      calls.sendto(socket.fd, sealed.subarray(0, HEADER + IV + size + TAG), 0, to);
    }
    for (let i = 0; i < TURN; i++) {
      const size = calls.readBytes(peer.fd, datagram);
      if (size <= 0) break;
      const opening = createDecipheriv(
        name,
        key,
        Buffer.concat([Buffer.alloc(4), datagram.subarray(HEADER, HEADER + IV)]),
        {
          authTagLength: TAG,
        },
      );
      opening.setAAD(datagram.subarray(0, HEADER), { plaintextLength: size - HEADER - IV - TAG });
      opening.setAuthTag(datagram.subarray(size - TAG, size));
      const plaintext = opening.update(datagram.subarray(HEADER + IV, size - TAG));
      opening.final();
      calls.writeBytes(far, plaintext);
    }
  };
}
