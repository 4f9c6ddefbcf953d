// Runs in a namespace: a unix socket that leads to 127.0.0.1 there, so that a test outside can speak to chromedriver inside.
//   node door.mjs <unix socket> <port>
import { connect, createServer } from 'node:net';

const [path, port] = process.argv.slice(2);
createServer((from) => {
  const to = connect(Number(port), '127.0.0.1');
  from.pipe(to).pipe(from);
  for (const socket of [from, to]) socket.on('error', () => from.destroy() && to.destroy());
}).listen(path, () => console.log('open'));
