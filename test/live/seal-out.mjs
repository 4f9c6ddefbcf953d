// Sends given inner packets through the real data plane and real sockets, with keys chosen by the test, so that a
// capture can be decrypted by others. Run in a namespace:  seal-out.mjs JOB.json
//   job: { outerFamily, remote, encapsulation, cipher, key, salt, integrity?, integrityKey?, unencrypted?, spi, esn, shape, gre, delivery, packets: [hex] }
// Prints `sent N` when the datagrams have left.
import { readFileSync } from 'node:fs';
import { NetError } from '../../build/out/main/net/error.js';
import { linuxSocketFactory } from '../../build/out/main/net/socket/linux.js';
import { openInMemoryTun } from '../../build/out/main/net/tun/fake.js';
import { startDataPlane } from '../../build/out/main/path/start.js';
import { parseAddress, parsePrefix } from '../../build/out/main/wire/address.js';
import { selectorOf } from '../../build/out/main/wire/selector.js';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const any = [selectorOf(parsePrefix('0.0.0.0/0')), selectorOf(parsePrefix('::/0'))];

const sockets = linuxSocketFactory();
const kind = job.encapsulation === 'udp' ? 'natt' : `esp${job.outerFamily}`;
const socket = sockets.open({
  kind,
  family: job.outerFamily,
  localPort: job.encapsulation === 'udp' ? 4500 : 0,
  mark: 0,
});
if (socket instanceof NetError) throw socket;
const plane = await startDataPlane({ threads: 'workers', onEvent: (event) => console.error(JSON.stringify(event)) });
const tun = openInMemoryTun({ mtu: 9000 });
await plane.attachTun(tun);
await plane.configure(0, {
  shape: job.shape,
  gre: job.gre,
  delivery: job.delivery && { local: parseAddress(job.delivery.local), remote: parseAddress(job.delivery.remote) },
  mtu: 1400,
  mss4: 0,
  mss6: 0,
  local: any,
  remote: any,
  copyDscp: false,
  ttl: 64,
});
await plane.send({
  kind: 'setPeer',
  tunnel: 0,
  peer: {
    remote: { address: parseAddress(job.remote), port: job.encapsulation === 'udp' ? 4500 : 0 },
    socket: socket.fd,
    encapsulation: job.encapsulation,
  },
});
await plane.send({
  kind: 'installOutbound',
  slot: 0,
  params: {
    ...{ spi: job.spi, tunnel: 0, cipher: job.cipher, key: bytes(job.key), salt: bytes(job.salt), esn: job.esn },
    ...(job.integrity && { integrity: job.integrity, integrityKey: bytes(job.integrityKey) }),
    unencrypted: job.unencrypted,
    ...{ hardPackets: Number.POSITIVE_INFINITY, hardBytes: Number.POSITIVE_INFINITY },
  },
});
await plane.send({ kind: 'activate', tunnel: 0, slot: 0 });
for (const packet of job.packets) tun.send(bytes(packet));
while (plane.statistics().counters.outPackets < job.packets.length)
  await new Promise((resolve) => setImmediate(resolve));
console.log(`sent ${job.packets.length}`);
await plane.close();
await tun.close();
socket.close();
