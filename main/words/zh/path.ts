import type { path as en } from '../en/path.ts';
import type { Translated } from '../message.ts';

export const path: Translated<typeof en> = {
  'path.fits': '{path} 字节的数据包可以到达，与隧道的假设一致。无需更改。',
  'path.smaller':
    '只有不超过 {path} 字节的数据包可以到达，而隧道假设为 {assumed}。更大的数据包会丢失：下载和某些网页可能卡住。请使用测得的值。',
  'path.larger': '不超过 {path} 字节的数据包可以到达，而隧道假设为 {assumed}。隧道可以工作，使用测得的值会稍快。',
  'path.none': '没有测试数据包返回。网关可能不应答，或者网络丢弃了它们；请询问管理员，或换一个网络。',
};
