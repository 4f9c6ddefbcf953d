// Starts the interface: finds its way to an engine, then draws. In Electron the way is the preload script's bridge, in a
// browser the loopback server that served this page.
import './theme/tokens.css';
import './theme/base.css';
import './theme/shell.css';
import './theme/controls.css';
import 'uplot/dist/uPlot.min.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { systemClock } from './client/clock.ts';
import { createLink } from './client/link.ts';
import { pseudoOf } from './i18n/pseudo.ts';
import { createEngine } from './store/engine.ts';
import { loadPreferences } from './store/preferences.ts';
import { applyTheme } from './theme/theme.ts';
import { openBridge } from './transport/bridge.ts';
import { takeToken } from './transport/token.ts';
import { openWebSocket, webSocketUrl } from './transport/websocket.ts';

const preferences = loadPreferences(localStorage);
applyTheme(preferences.theme);

const open = window.culvert
  ? openBridge(window.culvert)
  : openWebSocket(webSocketUrl(location), takeToken(location, history, sessionStorage));

const engine = createEngine({
  link: createLink(open, systemClock),
  initial: { picked: preferences.picked },
});

const root = document.getElementById('root');
if (root) createRoot(root).render(<App engine={engine} preferences={preferences} pseudo={pseudoOf(location.search)} />);
