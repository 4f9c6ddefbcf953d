import type { tunnel as en } from '../en/tunnel.ts';
import type { Translated } from '../message.ts';

export const tunnel: Translated<typeof en> = {
  'tunnel.plain': '这个隧道是纯 GRE：没有任何加密和身份验证。请只在实验室中使用。',
  'tunnel.ipv6Off': '隧道内的 IPv6 已关闭：它需要至少 1280 的 MTU，而现在是 {mtu}。',
  'tunnel.mtuTooLarge': 'MTU 设为 {value}，但在 {path} 的路径上最多只能是 {computed}：更大的数据包会被分片或丢失。',
  'tunnel.noFamily': '已阻止，因为隧道没有这一地址族的地址：{prefixes}。',
  'tunnel.carriesOnly': '网关只传输 {carried}。{prefixes} 中的其余部分会被丢弃。',
  'tunnel.serversOutside': '以下域名服务器不会被询问，因为隧道到不了它们：{servers}。',
  'tunnel.serversUnknown':
    '所有流量都经过隧道，但不知道隧道后面有哪个域名服务器：域名仍在隧道外查询。请在配置文件中设置 dns.servers。',
  'tunnel.namesFailed': '域名没有通过隧道查询。{error}{remedy}',
  'tunnel.manyNetworks':
    '网关后面有 {networks} 个网络，只有 {most} 个会逐一检查：从隧道出来的数据包不论地址都会被接受。',
  'tunnel.nothingRouted': '除隧道自身的网络外，没有网络经过隧道。',
  'tunnel.weak': '强度不足：网关选择了 {protocol} {proposal}。其中使用了 {weakness}',
  'tunnel.weakUnknown': '网关选择的 {protocol} {proposal} 是否强度不足，无法判断。',
  'weakness.sha1': 'SHA-1，只为旧网关保留。请在网关上改用 sha256。',
  'weakness.modp1024':
    'MODP-1024（第 2 组），情报机构能够破解，其他人或许也能。请在网关上改用 ecp256 或 modp2048（第 14 组）。',
  'weakness.modp1536': 'MODP-1536（第 5 组），以今天的标准太短。请在网关上改用 ecp256 或 modp2048（第 14 组）。',
};
