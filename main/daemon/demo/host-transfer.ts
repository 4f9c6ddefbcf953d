// Throughput between two in-memory hosts: one TCP connection, as much as it takes for some seconds, hashed at both ends.
import { createHash, randomBytes } from 'node:crypto';
import type { Host } from '../../gateway/host/host.ts';
import type { TcpConnection } from '../../gateway/host/tcp/connection.ts';
import type { Address } from '../../wire/address.ts';
import type { Transfer } from './report.ts';

const BLOCK = 1 << 16;

/** `from` listens or connects as said; bytes go from `sender` to `receiver`. Rejects where the connection breaks. */
export function transferBetween(
  sender: Host,
  receiver: Host,
  receiverAddress: Address,
  port: number,
  seconds: number,
): Promise<Transfer> {
  return new Promise((resolve, reject) => {
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    // Different bytes in every block would cost more than the tunnel: one random block, sent at a moving offset.
    const block = randomBytes(2 * BLOCK);
    let bytes = 0;
    let started = 0;
    const fail = (why: string): void => {
      listener.close();
      reject(new Error(`the throughput connection broke: ${why}`));
    };
    const listener = receiver.listen(port, (connection) => {
      connection.handlers = {
        onData: (data) => void received.update(data),
        onEnd: () => {
          const took = (performance.now() - started) / 1000;
          listener.close();
          connection.end();
          resolve({ bytes, seconds: took, sentHash: sent.digest('hex'), receivedHash: received.digest('hex') });
        },
        onClose: (failure) => failure && fail(failure),
      };
    });
    const connection: TcpConnection = sender.connect(receiverAddress, port);
    const more = (): void => {
      for (;;) {
        if (performance.now() - started >= seconds * 1000) {
          connection.end();
          return;
        }
        const offset = bytes % BLOCK;
        const chunk = block.subarray(offset, offset + BLOCK);
        const taken = connection.write(chunk);
        sent.update(chunk.subarray(0, taken));
        bytes += taken;
        if (taken < chunk.length) return;
      }
    };
    connection.handlers = {
      onOpen: () => {
        started = performance.now();
        more();
      },
      onWritable: more,
      onClose: (failure) => failure && fail(failure),
    };
  });
}
