import type { profile as en } from '../en/profile.ts';
import type { Translated } from '../message.ts';

export const profile: Translated<typeof en> = {
  'profile.plain': '没有加密：使用“gre-plain”形式时，途中任何人都能读取和篡改全部内容。仅限实验室使用。',
  'profile.noEffectPlain': '{place} 不起作用：纯 GRE 不验证任何人的身份，也不协商任何内容。',
  'profile.noEffectShape': '{place} 在“{shape}”形式下不起作用。',
  'profile.mobikeShape': '{place} 在“{shape}”形式下不起作用：换到其他网络时会重新建立隧道。',
  'profile.greSequence':
    '{place} 已开启：如果网关的隧道一直保持，它会丢弃看起来较旧的序列号（RFC 2890 §2.2）。重新连接或重启引擎后序列号会延续，但重新安装后会从 0 开始。除非网关要求，否则请关闭。',
  'profile.legacySignatures': '/gateway/authentication/legacy 已开启：会接受 SHA-1 签名和较短的 RSA 密钥。',
  'profile.noRevocation': '/gateway/authentication/revocation 为“off”：被盗的证书仍然有效。',
  'profile.password': '配置文件中含有密码：谁拿到文件，谁就拿到密码。',
  'profile.repeats': '{place} 重复了 {prefix}。',
  'profile.excludeContains': '{place}（{prefix}）包含一个已列入的网络：以两者中更精确的为准。',
  'profile.excludeNoEffect': '{place}（{prefix}）不起作用：没有已列入的网络覆盖它。',
  'profile.nothingRouted': '没有网络经过隧道：请设置 /routes/include 或 /routes/fromGateway。',
  'profile.weak': '{place}（“{proposal}”）允许 {weakness}',
  'profile.stillWeak':
    '强度不足：{place}（“{proposal}”）允许 {weakness}它仍被使用，因为该配置文件是在禁止之前导入的。如果网关无法更改，请把 /proposals/policy 设为“legacy”后重新导入。',
  'profile.legacy': '/proposals/policy“legacy”在 {protocol} 中允许 {weakness}',
  'profile.mtuTooLarge': '{place} 是 {value}，但最多只能是 {most}：更大的数据包会被分片或丢失。',
  'profile.noIpv6': 'MTU {mtu} 小于 1280：隧道内将没有 IPv6。',
  'profile.mssTooLarge': '{place} 是 {mss}，但在 MTU {mtu} 下最多只能是 {most}：将使用较小的值。',
  'profile.shortSecret':
    '预共享密钥只有 {bytes} 字节：只要有人冒充过一次网关，就能离线猜出它。请索要至少 {least} 个随机字符的密钥。',
  'profile.fileOpen': '{path} 含有机密，而其他用户可以读取（权限 {mode}）。请保护它：chmod 600',
  'profile.secretFileOpen': '其他用户可以读取机密文件 {path}（权限 {mode}）。请保护它：chmod 600',

  'mistake.syntax': '{place}：这不是 JSON。{hint}',
  'mistake.version': '{place}：这是为其他版本的 Culvert 制作的。{hint}',
  'mistake.unknown-key': '{place}：没有这个键。{hint}',
  'mistake.missing': '{place}：缺失。{hint}',
  'mistake.invalid': '{place}：不允许这个值。{hint}',
  'mistake.conflict': '{place}：与其他部分不一致。{hint}',
  'mistake.secret': '{place}：这个机密、证书或密钥无法使用。{hint}',
  'mistake.meant': '您是否想写 {meant}？',
  'mistake.example': '示例：{example}',
};
