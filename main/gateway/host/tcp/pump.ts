// Writes all of it, however small the connection's buffer: what TcpConnection.write did not take goes on when there is room.
import type { TcpConnection } from './connection.ts';

/** Takes over the connection's onWritable. Ends the connection behind the last byte where `end` is set. */
export function pump(connection: TcpConnection, bytes: Uint8Array, end: boolean): void {
  let rest = bytes;
  const more = (): void => {
    rest = rest.subarray(connection.write(rest));
    if (rest.length === 0 && end) connection.end();
  };
  connection.handlers.onWritable = () => {
    if (rest.length > 0) more();
  };
  more();
}
