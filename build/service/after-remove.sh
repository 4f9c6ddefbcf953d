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
