// Starting at login on Linux.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { autostart, autostartEntry, autostartFile } from '../../main/electron/autostart.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'culvert-autostart-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('writes an entry into the person’s autostart folder, and takes it out again', () => {
  const file = autostartFile(folder);
  autostart(file, '/opt/Culvert/culvert', false);
  expect(existsSync(file)).toBe(false);
  autostart(file, '/opt/Culvert/culvert', true);
  expect(readFileSync(file, 'utf8')).toBe(
    '[Desktop Entry]\nType=Application\nName=Culvert\nExec="/opt/Culvert/culvert" --hidden\nIcon=culvert\nTerminal=false\nX-GNOME-Autostart-enabled=true\n',
  );
  // What is right already is left alone.
  utimesSync(file, 1, 1);
  autostart(file, '/opt/Culvert/culvert', true);
  expect(statSync(file).mtimeMs).toBe(1000);
  autostart(file, '/home/a/Culvert.AppImage', true);
  expect(readFileSync(file, 'utf8')).toContain('/home/a/Culvert.AppImage');
  autostart(file, '/home/a/Culvert.AppImage', false);
  expect(existsSync(file)).toBe(false);
});

it.each([
  ['/home/a b/x', 'Exec="/home/a b/x" --hidden'],
  ['/home/100%/x', 'Exec="/home/100%%/x" --hidden'],
  ['/home/a"b/x', 'Exec="/home/a\\\\"b/x" --hidden'],
  ['/home/$HOME/`x`', 'Exec="/home/\\\\$HOME/\\\\`x\\\\`" --hidden'],
  ['/home/a\\b', 'Exec="/home/a\\\\\\\\b" --hidden'],
  ['/home/a\nExec=evil', 'Exec="/home/a\\nExec=evil" --hidden'],
])('%j is one word of the command', (program, line) => {
  expect(autostartEntry(program).split('\n')[3]).toBe(line);
});
