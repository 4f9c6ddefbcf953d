#!/bin/sh
# Run by dpkg as root once the files are there; electron-builder fills in the names. Twice does no harm.
set -e

ln -sf '/opt/${sanitizedProductName}/${executable}' '/usr/bin/${executable}-desktop'
# The command line is the engine's program, run by the engine's Node.
cat >'/usr/bin/${executable}' <<'END'
#!/bin/sh
exec '/opt/${sanitizedProductName}/resources/engine/node' '/opt/${sanitizedProductName}/resources/engine/main/cli/culvert.js' "$@"
END
chmod 0755 '/usr/bin/${executable}'

# Chromium's own sandbox, where the kernel lets nobody but root make namespaces.
chown root:root '/opt/${sanitizedProductName}/chrome-sandbox'
chmod 4755 '/opt/${sanitizedProductName}/chrome-sandbox'

# Whoever may connect without an administrator's password is in this group.
getent group culvert >/dev/null || groupadd --system culvert

install -D -m 0644 '/opt/${sanitizedProductName}/resources/service/org.culvert.engine.policy' /usr/share/polkit-1/actions/org.culvert.engine.policy
if [ -d /run/systemd/system ]; then
  # An upgrade leaves it on or off, as the administrator has it.
  upgrade=
  if [ -e /usr/lib/systemd/system/culvert.service ]; then upgrade=yes; fi
  install -D -m 0644 '/opt/${sanitizedProductName}/resources/service/culvert.service' /usr/lib/systemd/system/culvert.service
  systemctl daemon-reload
  if [ -z "$upgrade" ]; then systemctl enable culvert.service || true; fi
  # Also one that runs though it is off is the old version's.
  how=try-restart
  if systemctl is-enabled --quiet culvert.service; then how=restart; fi
  systemctl "$how" culvert.service || echo 'culvert: the engine did not start; see "journalctl -u culvert"' >&2
fi

if command -v update-mime-database >/dev/null; then update-mime-database /usr/share/mime || true; fi
if command -v update-desktop-database >/dev/null; then update-desktop-database /usr/share/applications || true; fi
