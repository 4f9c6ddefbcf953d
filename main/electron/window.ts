// The window: one, made when first wanted, hidden rather than closed, and put back where it was if that place still exists.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type Electron from 'electron';
import type { ElectronModules, ShellWindow } from './modules.ts';
import { webPreferences } from './security.ts';

export interface WindowPlace extends Electron.Rectangle {
  readonly maximized: boolean;
}

const DEFAULT = { width: 960, height: 680 };
const LEAST = { width: 360, height: 480 };
/** So much of the title bar must be on a screen that it can be taken hold of. */
const GRIP = 100;

/** undefined: let the system place it. */
export function fitPlace(
  place: WindowPlace | undefined,
  areas: readonly Electron.Rectangle[],
): WindowPlace | undefined {
  if (!place) return undefined;
  const reachable = areas.some(
    (area) =>
      place.x + place.width - GRIP >= area.x &&
      place.x + GRIP <= area.x + area.width &&
      place.y >= area.y &&
      place.y + GRIP <= area.y + area.height,
  );
  if (!reachable) return undefined;
  return {
    ...place,
    width: Math.max(LEAST.width, place.width),
    height: Math.max(LEAST.height, place.height),
  };
}

export function readPlace(file: string): WindowPlace | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Record<keyof WindowPlace, unknown>> | null;
    const { x, y, width, height, maximized } = value ?? {};
    if ([x, y, width, height].every(Number.isInteger))
      return { x, y, width, height, maximized: maximized === true } as WindowPlace;
  } catch {
    // None was kept yet.
  }
  return undefined;
}

export interface WindowOptions {
  readonly electron: ElectronModules;
  readonly preload: string;
  readonly page: string;
  readonly stateFile: string;
  /** True: the program ends, so closing is meant. */
  readonly ending: () => boolean;
}

export interface MainWindow {
  readonly window: ShellWindow | undefined;
  show(): void;
}

export function createMainWindow(options: WindowOptions): MainWindow {
  const { electron, stateFile } = options;
  let window: ShellWindow | undefined;

  const keep = (from: ShellWindow): void => {
    if (from.isDestroyed()) return;
    try {
      mkdirSync(dirname(stateFile), { recursive: true });
      writeFileSync(stateFile, JSON.stringify({ ...from.getNormalBounds(), maximized: from.isMaximized() }));
    } catch {
      // A full disk, say: next time it is somewhere else.
    }
  };

  const make = (): ShellWindow => {
    const place = fitPlace(readPlace(stateFile), electron.workAreas());
    const { maximized, ...bounds } = place ?? { maximized: false };
    const made = electron.createWindow({
      ...DEFAULT,
      ...bounds,
      minWidth: LEAST.width,
      minHeight: LEAST.height,
      show: false,
      title: 'Culvert',
      autoHideMenuBar: true,
      webPreferences: webPreferences(options.preload),
    });
    made.on('ready-to-show', () => {
      if (maximized) made.maximize();
      made.show();
    });
    made.on('close', (event) => {
      keep(made);
      if (options.ending()) return;
      event.preventDefault();
      made.hide();
    });
    void made.loadFile(options.page);
    return made;
  };

  return {
    get window() {
      return window;
    },
    show() {
      if (!window || window.isDestroyed()) {
        window = make();
        return;
      }
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
  };
}
