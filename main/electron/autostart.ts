// Starting at login on Linux, where Electron has no call for it: an entry in the person's autostart folder (the Desktop
// Application Autostart Specification; its text follows the Desktop Entry Specification 1.5).
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `configuration`: $XDG_CONFIG_HOME, which Electron's "appData" is. */
export const autostartFile = (configuration: string): string =>
  join(configuration, 'autostart', 'org.culvert.desktop.desktop');

export function autostart(file: string, program: string, wanted: boolean): void {
  if (!wanted) {
    rmSync(file, { force: true });
    return;
  }
  const text = autostartEntry(program);
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch {
    // There is none yet.
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o644 });
}

export const autostartEntry = (program: string): string =>
  [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Culvert',
    `Exec=${quote(program)} --hidden`,
    'Icon=culvert',
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n');

/**
 * An argument of Exec (§ "The Exec key"): in quotation marks with `"`, backtick, `$` and `\` escaped, `%` doubled; then the
 * escapes of every string value, which double the backslashes again.
 */
const quote = (word: string): string =>
  `"${word.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%')}"`.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
