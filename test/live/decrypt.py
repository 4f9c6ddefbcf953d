#!/usr/bin/python3
"""Decrypts captured ESP with scapy, which shares nothing with Culvert, and prints what was inside.

  decrypt.py CAPTURE SAS     SAS: JSON list of {spi, cipher, key, salt, integrity?, integrityKey?, mode, esn?}; ciphers and
                             integrity algorithms as in ALGORITHMS and HMACS, keys and salt in hex, mode transport | tunnel
One JSON line for each ESP packet of a known SPI, in the capture's order:
  {"spi", "sequence", "encapsulation": "udp"|"raw", "next": next header, "inner": hex} or {"spi", "sequence", "error"}
`inner` is what ESP carried: in tunnel mode an IP packet, in transport mode the transport payload.
"""
import json, logging, struct, sys

logging.getLogger('scapy').setLevel(logging.ERROR)
from scapy.all import IP, IPv6, UDP, PcapReader, raw
from scapy.layers.ipsec import ESP, SecurityAssociation

ALGORITHMS = {'aes-gcm-16': 'AES-GCM', 'chacha20-poly1305': 'CHACHA20-POLY1305', 'aes-cbc': 'AES-CBC', 'aes-ctr': 'AES-CTR',
              'null': 'NULL'}
HMACS = {'hmac-sha1-96': 'HMAC-SHA1-96', 'hmac-sha2-256-128': 'SHA2-256-128', 'hmac-sha2-384-192': 'SHA2-384-192',
         'hmac-sha2-512-256': 'SHA2-512-256'}

def association(sa):
    return SecurityAssociation(
        ESP, spi=sa['spi'], crypt_algo=ALGORITHMS[sa['cipher']], crypt_key=bytes.fromhex(sa['key'] + sa['salt']),
        auth_algo=HMACS.get(sa.get('integrity')), auth_key=bytes.fromhex(sa.get('integrityKey') or '') or None,
        tunnel_header=IP() if sa['mode'] == 'tunnel' else None, esn_en=bool(sa.get('esn')), esn=0)

sas = {sa['spi']: (sa, association(sa)) for sa in json.load(open(sys.argv[2]))}
for packet in PcapReader(sys.argv[1]):
    outer = packet.getlayer(IP) or packet.getlayer(IPv6)
    if outer is None:
        continue
    if UDP in packet and 4500 in (packet[UDP].sport, packet[UDP].dport):
        esp, encapsulation = raw(packet[UDP].payload), 'udp'
    elif (outer.proto if isinstance(outer, IP) else outer.nh) == 50:
        esp, encapsulation = raw(outer.payload), 'raw'
    else:
        continue
    if len(esp) < 8:
        continue
    spi, sequence = struct.unpack_from('!II', esp)
    if spi not in sas:
        continue
    sa, scapy_sa = sas[spi]
    row = {'spi': spi, 'sequence': sequence, 'encapsulation': encapsulation}
    try:
        # A plain IPv4 header stands in for whatever was outside: only the ESP bytes matter to the decryption.
        clear = scapy_sa.decrypt(IP(raw(IP(src='192.0.2.1', dst='192.0.2.2', proto=50) / ESP(esp))), verify=True)
        if sa['mode'] == 'tunnel':
            row |= {'next': 4 if isinstance(clear, IP) else 41, 'inner': raw(clear).hex()}
        else:
            row |= {'next': clear.proto, 'inner': raw(clear)[clear.ihl * 4 if clear.ihl else 20:].hex()}
    except Exception as error:  # scapy's integrity and format errors are of many classes
        row['error'] = f'{type(error).__name__}: {error}'
    print(json.dumps(row))
