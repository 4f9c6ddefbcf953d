// Moves bytes over TCP and compares their hash: what a person's download would notice of loss or corruption.
//   transfer.mjs serve ADDRESS PORT
//   transfer.mjs up|down ADDRESS PORT BYTES     prints {"direction", "bytes", "seconds", "megabitsPerSecond", "intact"}
// The stream is AES-CTR of a constant key: no repetition that a swapped or doubled segment could hide in.
import { createCipheriv, createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

const [role, address, port, size] = process.argv.slice(2);
const CHUNK = 1 << 18;

/** Chunks of the stream's first `bytes` bytes. */
function* stream(bytes) {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK);
  for (let left = bytes; left > 0; left -= CHUNK) yield cipher.update(zeros.subarray(0, Math.min(CHUNK, left)));
}

function hashOf(bytes) {
  const hash = createHash('sha256');
  for (const chunk of stream(bytes)) hash.update(chunk);
  return hash.digest('hex');
}

function pour(socket, bytes) {
  const chunks = stream(bytes);
  const more = () => {
    for (;;) {
      const next = chunks.next();
      if (next.done) return socket.end();
      if (!socket.write(next.value)) return socket.once('drain', more);
    }
  };
  more();
}

if (role === 'serve') {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    let order = '';
    const hash = createHash('sha256');
    const take = (chunk) => {
      if (!order.includes('\n')) {
        const text = chunk.indexOf(10);
        order += chunk.subarray(0, text < 0 ? chunk.length : text + 1).toString('latin1');
        if (text < 0) return;
        chunk = chunk.subarray(text + 1);
        const [direction, bytes] = order.trim().split(' ');
        if (direction === 'down') return pour(socket, Number(bytes));
      }
      hash.update(chunk);
    };
    socket.on('data', take);
    socket.on('end', () => {
      if (order.startsWith('up')) socket.end(hash.digest('hex'));
    });
  });
  server.listen(Number(port), address, () => console.log('ready'));
} else {
  const bytes = Number(size);
  const expected = hashOf(bytes);
  const started = performance.now();
  const socket = connect({ host: address, port: Number(port), allowHalfOpen: true });
  const hash = createHash('sha256');
  let answer = '';
  socket.on('connect', () => {
    socket.write(`${role} ${bytes}\n`);
    if (role === 'up') pour(socket, bytes);
  });
  socket.on('data', (chunk) => {
    if (role === 'down') hash.update(chunk);
    else answer += chunk.toString();
  });
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  socket.on('end', () => {
    const seconds = (performance.now() - started) / 1000;
    const intact = (role === 'down' ? hash.digest('hex') : answer) === expected;
    console.log(
      JSON.stringify({ direction: role, bytes, seconds, megabitsPerSecond: (bytes * 8) / seconds / 1e6, intact }),
    );
    socket.end();
    process.exit(intact ? 0 : 1);
  });
}
