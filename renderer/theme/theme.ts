// The theme is an attribute of the document; theme/tokens.css has the colours. `system` leaves it to prefers-color-scheme.
import type { Theme } from '../store/preferences.ts';

export function applyTheme(theme: Theme, root: HTMLElement = document.documentElement): void {
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
}
