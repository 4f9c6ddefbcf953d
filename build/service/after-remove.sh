#!/bin/sh
# Run by dpkg as root. On an upgrade ("upgrade") the new version's after-install.sh follows, and nothing is to be taken away.
set -e
case "$1" in
  remove | purge) ;;
  *) exit 0 ;;
esac

rm -f '/usr/bin/${executable}' '/usr/bin/${executable}-desktop'
if [ -d /run/systemd/system ]; then
  systemctl disable --now culvert.service 2>/dev/null || true
fi
rm -f /usr/lib/systemd/system/culvert.service /usr/share/polkit-1/actions/org.culvert.engine.policy
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
[ "$1" = remove ] || exit 0

# An engine that the desktop app started ends, too. The number of one that was killed may be somebody else's by now.
is_engine() {
  case "$(readlink "/proc/$1/exe" || true)" in
    '/opt/${sanitizedProductName}/resources/engine/node'*) return 0 ;;
  esac
  return 1
}
for lock in /run/culvert/engine-*.lock; do
  pid=
  if [ -f "$lock" ]; then read -r pid <"$lock" || true; fi
  if [ -z "$pid" ] || ! is_engine "$pid"; then continue; fi
  kill "$pid" || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if ! is_engine "$pid"; then break; fi
    sleep 1
  done
done

# What one that was killed leaves blocks the network (main/net: firewall/linux.ts, route/linux.ts, dns/resolv-conf.ts), and nobody is
# there any more to give it back.
nft delete table inet culvert 2>/dev/null || true
for family in -4 -6; do
  while ip "$family" rule del priority 31750 table 4750 2>/dev/null; do :; done
  ip "$family" route flush table 4750 2>/dev/null || true
done
if grep -q '^# Written by Culvert while a tunnel is up' /etc/resolv.conf 2>/dev/null; then
  former=$(sed -n 's/^#was //p' /etc/resolv.conf)
  printf '%s\n' "$former" >/etc/resolv.conf || true
fi
