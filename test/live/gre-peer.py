#!/usr/bin/python3
"""A GRE endpoint that shares nothing with Culvert: a raw socket of protocol 47 joined to a TUN interface.

Stands behind a peer's IPsec where the kernel has no GRE of its own.
  gre-peer.py --local 10.77.0.1 --remote any --tun gre1 --address 10.88.0.1/24 [--key N] [--checksum] [--sequence] [--mtu 1376]
Prints `ready` when it runs. Headers by RFC 2784 and RFC 2890.
"""
import argparse, fcntl, os, select, socket, struct, subprocess

arguments = argparse.ArgumentParser()
arguments.add_argument('--local', required=True)
arguments.add_argument('--remote', default='any', help='delivery address of the client; any: whoever sent last')
arguments.add_argument('--tun', default='gre1')
arguments.add_argument('--address', required=True)
arguments.add_argument('--key', type=int)
arguments.add_argument('--checksum', action='store_true')
arguments.add_argument('--sequence', action='store_true')
arguments.add_argument('--mtu', type=int, default=1376)
options = arguments.parse_args()

tun = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack('16sH22x', options.tun.encode(), 0x1001))  # IFF_TUN | IFF_NO_PI
for command in (['address', 'add', options.address, 'dev', options.tun], ['link', 'set', options.tun, 'mtu', str(options.mtu), 'up']):
    subprocess.run(['ip', *command], check=True)

raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
raw.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER = IP_PMTUDISC_DONT: delivery packets may be fragmented
raw.bind((options.local, 0))
remote = None if options.remote == 'any' else options.remote
sequence = 0

def ones_complement(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

def encapsulate(inner):
    global sequence
    flags = (0x8000 if options.checksum else 0) | (0x2000 if options.key is not None else 0) | (0x1000 if options.sequence else 0)
    rest = b''
    if options.key is not None:
        rest += struct.pack('!I', options.key)
    if options.sequence:
        rest += struct.pack('!I', sequence)
        sequence = (sequence + 1) & 0xFFFFFFFF
    head = struct.pack('!HH', flags, 0x0800 if inner[0] >> 4 == 4 else 0x86DD)
    if options.checksum:
        total = ones_complement(head + b'\0\0\0\0' + rest + inner)
        return head + struct.pack('!HH', total, 0) + rest + inner
    return head + rest + inner

def decapsulate(packet):
    """The inner packet, or a word for why there is none."""
    flags, protocol = struct.unpack_from('!HH', packet)
    if flags & 0x0007:
        return 'version'
    offset = 4
    if flags & 0x8000:
        if ones_complement(packet) != 0:
            return 'checksum'
        offset += 4
    if bool(flags & 0x2000) != (options.key is not None):
        return 'key'
    if flags & 0x2000:
        if struct.unpack_from('!I', packet, offset)[0] != options.key:
            return 'key'
        offset += 4
    if flags & 0x1000:
        offset += 4
    return packet[offset:] if protocol in (0x0800, 0x86DD) else 'protocol'

os.set_blocking(tun, False)
raw.setblocking(False)
dropped = {}
print('ready', flush=True)
while True:
    readable, _, _ = select.select([tun, raw], [], [])
    if raw in readable:
        for _ in range(64):
            try:
                packet, sender = raw.recvfrom(65535)
            except BlockingIOError:
                break
            inner = decapsulate(packet[(packet[0] & 15) * 4:])
            if isinstance(inner, str):
                dropped[inner] = dropped.get(inner, 0) + 1
                print('dropped', dropped, flush=True)
                continue
            if options.remote == 'any':
                remote = sender[0]
            try:
                os.write(tun, inner)
            except OSError as error:
                print('tun write:', error, flush=True)
    if tun in readable:
        for _ in range(64):
            try:
                inner = os.read(tun, 65535)
            except BlockingIOError:
                break
            if remote is not None:
                try:
                    raw.sendto(encapsulate(inner), (remote, 0))
                except OSError as error:
                    print('raw send:', error, flush=True)
