// Whole ESP packets through main/core, for the benchmark: an inner IPv4/UDP packet → GRE → ESP tunnel mode and back.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const built = (path) => import(pathToFileURL(join(root, 'build', 'out', path)).href);
const { createCoreSync } = await built('main/core/core.js');
const { loadCoreModuleSync } = await built('main/core/load.js');
const { selectorOf } = await built('main/wire/selector.js');
const { IN, IN_DESC, OUT_DESC, DESC_BYTES, PACKET_SLOT_BYTES, AUX_UDP } = await built('assembly/layout.js');

const NAMES = { 'aes-128-gcm': 'aes-gcm-16', 'aes-256-gcm': 'aes-gcm-16', 'chacha20-poly1305': 'chacha20-poly1305' };

/** An IPv4 packet of `size` bytes (at least 28) from 10.0.0.1 to 10.0.0.2, UDP. */
function innerPacket(size) {
  const packet = Buffer.alloc(size, 0x5a);
  packet.set([0x45, 0, size >> 8, size & 255, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
  packet.set([0x12, 0x34, 0x56, 0x78, (size - 20) >> 8, (size - 20) & 255, 0, 0], 20);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += packet.readUInt16BE(i);
  sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~(sum + (sum >>> 16)) & 0xffff, 10);
  return packet;
}

/** `seal` makes `batch` datagrams; `roundTrip` seals them, moves them to IN and opens them. */
export function espBatch(cipher, key, size, batch) {
  const core = createCoreSync(loadCoreModuleSync());
  const any = [selectorOf({ address: Uint8Array.of(0, 0, 0, 0), bits: 0 })];
  core.configureTunnel(0, {
    shape: 'gre-tunnel',
    gre: { key: 7, checksum: false, sequence: false, nextSequence: 0 },
    delivery: { local: Uint8Array.of(10, 9, 0, 1), remote: Uint8Array.of(10, 9, 0, 1) },
    mtu: 1500,
    mss4: 0,
    mss6: 0,
    local: any,
    remote: any,
    copyDscp: false,
    ttl: 64,
  });
  const sa = {
    spi: 0x12345678,
    tunnel: 0,
    cipher: NAMES[cipher],
    key,
    salt: Uint8Array.of(1, 2, 3, 4),
    esn: true,
    hardPackets: Number.POSITIVE_INFINITY,
    hardBytes: Number.POSITIVE_INFINITY,
  };
  core.installOutbound(0, sa);
  core.activateOutbound(0, 0);
  core.installInbound(0, { ...sa, replayWindow: 1024 });

  const inner = innerPacket(size);
  const slot = (i) => IN + i * PACKET_SLOT_BYTES;
  const place = () => {
    for (let i = 0; i < batch; i++) {
      core.bytes.set(inner, slot(i));
      core.words.set([slot(i), PACKET_SLOT_BYTES, size, 0], (IN_DESC + i * DESC_BYTES) / 4);
    }
  };
  const seal = () => {
    const { out } = core.seal(batch, 0);
    if (out !== batch)
      throw new Error(`only ${out} of ${batch} packets were sealed: ${JSON.stringify(core.counters())}`);
  };
  const roundTrip = () => {
    place();
    seal();
    for (let i = 0; i < batch; i++) {
      const from = (OUT_DESC + i * DESC_BYTES) / 4;
      const [offset, length] = [core.words[from], core.words[from + 2]];
      core.bytes.copyWithin(slot(i), offset, offset + length);
      const to = (IN_DESC + i * DESC_BYTES) / 4;
      core.words[to] = slot(i);
      core.words[to + 1] = PACKET_SLOT_BYTES;
      core.words[to + 2] = length;
      core.words[to + 3] = AUX_UDP;
    }
    const { out } = core.open(batch, 0);
    if (out !== batch)
      throw new Error(`only ${out} of ${batch} packets were opened: ${JSON.stringify(core.counters())}`);
  };
  roundTrip();
  place();
  return { seal, roundTrip, place };
}
