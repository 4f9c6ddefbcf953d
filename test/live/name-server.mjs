// A name server for tests: answers every A query with one address, and prints the name that it was asked for.
//   node name-server.mjs <listen address> <address to answer>
import { createSocket } from 'node:dgram';

const [listen, answer] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.subarray(at + 1, at + 1 + query[at]).toString('latin1'));
  const type = query.readUInt16BE(at + 1);
  console.log(`asked ${labels.join('.')}`);
  const question = query.subarray(12, at + 5);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  // An A query gets the address; any other gets no answer, and no error.
  header.writeUInt16BE(type === 1 ? 1 : 0, 6);
  header.fill(0, 8, 12);
  const record = Buffer.concat([
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4]),
    Buffer.from(answer.split('.').map(Number)),
  ]);
  socket.send(Buffer.concat(type === 1 ? [header, question, record] : [header, question]), from.port, from.address);
});
socket.bind(53, listen, () => console.log('ready'));
