import type { checks as en } from '../en/checks.ts';
import type { Translated } from '../message.ts';

export const checks: Translated<typeof en> = {
  'check.title.connection': '连接',
  'check.title.tun': '隧道的网络接口',
  'check.title.clock': '时钟',
  'check.title.dns': '网关名称',
  'check.title.gateway-reachable': '到网关的路径',
  'check.title.traffic': '来自网关的流量',
  'check.title.mtu-black-hole': '大数据包',
  'check.title.drops': '丢弃的数据包',

  'check.connection.up': '已通过“{profile}”连接。',
  'check.connection.connecting': '正在通过“{profile}”连接。',
  'check.connection.disconnecting': '正在断开“{profile}”。',
  'check.connection.ended': '未连接。上次连接结束的原因：{error}',
  'check.notConnected': '未连接。',

  'check.tun.good': '可以创建 TUN 设备。',
  'check.tun.bad': '/dev/net/tun 无法使用（{error}）。',
  'check.tun.noModule': '内核模块“tun”没有加载，或被容器隐藏。',
  'check.tun.noModule.remedy': '加载该模块：sudo modprobe tun',
  'check.tun.noRights': '引擎没有以 root 身份运行。',
  'check.tun.noRights.remedy': '请以 root 身份启动引擎，或授予它 CAP_NET_ADMIN。',

  'check.clock.good': '现在是 {time}。',
  'check.clock.wrong': '本机认为现在是 {time}。',
  'check.clock.cause': '主板电池没电了，或者还没有连上时间服务器。',
  'check.clock.remedy': '请设置日期和时间：证书是否有效以此判断。',

  'check.dns.noProfile': '没有可以检查的配置文件。',
  'check.dns.found': '{host} 的地址是 {addresses}。',
  'check.dns.failed': '{host} 无法解析（{error}）。',
  'check.dns.late': '{host} 无法解析：没有域名服务器及时应答。',
  'check.dns.empty': '{host} 没有地址。',
  'check.dns.cause': '本机不在线、域名服务器没有应答，或者名称拼写有误。',
  'check.dns.remedy': '请检查网络，以及配置文件中的 gateway.host。在酒店或咖啡馆，可能需要先在浏览器中接受使用条款。',

  'check.reach.connected': '网关有应答。',
  'check.reach.notAsked': '现在没有询问。',
  'check.reach.all': '网关在 UDP {answered} 上有应答。',
  'check.reach.some': '网关在 UDP {answered} 上有应答，但在 UDP {silent} 上没有。',
  'check.reach.none': '网关在 UDP {silent} 上没有应答。',
  'check.reach.some.cause': '途中的防火墙阻止了 UDP {silent}。',
  'check.reach.some.remedy': '两个端口都需要，4500 还用于传输数据：请换一个网络，或咨询该网络的管理员。',
  'check.reach.refused': '该地址上的计算机表示没有服务在监听。',
  'check.reach.refused.remedy': '请检查配置文件中的地址，并在网关上检查 IPsec 服务是否在运行。',
  'check.reach.silent': '网关停机、地址有误，或者途中的防火墙阻止了 UDP 500 和 4500。',
  'check.reach.silent.remedy': '请换一个网络，例如手机热点。如果那里可以，说明当前网络阻止 VPN。',

  'check.traffic.good': '收到的数据包：{received}；发出的：{sent}。',
  'check.traffic.silent': '发入隧道的数据包：{sent}。一个也没有返回。',
  'check.traffic.silent.cause':
    '网关没有回到您的隧道地址的路由、它的 GRE 密钥或地址与配置文件不同，或者途中的防火墙丢弃了 ESP。',
  'check.traffic.silent.remedy':
    '请查看下面丢弃的数据包。如果封装是“auto”，请试试“udp”；否则请把报告交给网关的管理员。',

  'check.mtu.good': '没有迹象表明 MTU {mtu} 有问题。',
  'check.mtu.narrow': '大于 {works} 字节的数据包在途中丢失，而隧道按 {assumed} 计算。',
  'check.mtu.narrow.cause': '途中有一段链路更窄，而它前面的路由器没有告知。',
  'check.mtu.narrow.remedy': '请在 MTU 页面采用路径测试的结果。',
  'check.mtu.fixed': '隧道的 MTU 固定为 {value}，但最多只能是 {computed}。',
  'check.mtu.fixed.cause': '它由配置文件或手动设定。',
  'check.mtu.fixed.remedy': '请把 MTU 设为自动。',
  'check.mtu.oneWay': '大数据包发了出去，但几乎没有数据返回。',
  'check.mtu.oneWay.cause': '对途中某段没有告知的链路来说，它们可能太大。',
  'check.mtu.oneWay.remedy': '请在 MTU 页面测试路径。',

  'check.drops.none': '没有。',
  'check.drops.some': '{all} 个数据包中的 {dropped} 个。最常见的（{most} 个）：{reason}。',
  'check.drops.gre': '配置文件与网关的 GRE 设置不同（密钥、校验和、序列号）。',
  'check.drops.replay': '网络打乱数据包次序的程度超出了重放窗口，或重复了数据包。',
  'check.drops.foreign': '有其他连接的数据包到达这里，或者数据包在途中损坏。',
  'check.drops.addresses': '网关发来的数据包所属的网络不在配置文件的路由中。',
  'check.drops.other': '原因列在丢弃的数据包下面。',
  'check.drops.remedy': '请把报告交给网关的管理员。',
};
