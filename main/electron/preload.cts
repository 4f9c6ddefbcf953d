// Runs before the page, in the sandbox: gives it `window.culvert` (renderer/transport/bridge.ts), and nothing else. Text
// goes through; neither Electron nor Node does. CommonJS, one file: a sandboxed preload script can load no other.
import type { FromPage, ToPage } from './bridge.ts' with { 'resolution-mode': 'import' };

type Closed = Extract<ToPage, { kind: 'closed' }>;
interface Events {
  opened(): void;
  heard(message: string): void;
  closed(reason: Closed['reason']): void;
}

const { contextBridge, ipcRenderer } = require('electron') as typeof import('electron');

const channels = new Map<number, Events>();
let next = 1;
const tell = (message: FromPage): void => ipcRenderer.send('culvert', message);

ipcRenderer.on('culvert', (_event: unknown, message: ToPage) => {
  const events = channels.get(message.id);
  if (!events) return;
  switch (message.kind) {
    case 'opened':
      return events.opened();
    case 'heard':
      return events.heard(message.message);
    case 'closed':
      channels.delete(message.id);
      return events.closed(message.reason);
  }
});

contextBridge.exposeInMainWorld('culvert', {
  open(events: Events) {
    const id = next++;
    channels.set(id, events);
    tell({ kind: 'open', id });
    return {
      send(message: string): boolean {
        if (!channels.has(id)) return false;
        tell({ kind: 'send', id, message: String(message) });
        return true;
      },
      close(): void {
        const open = channels.delete(id);
        if (!open) return;
        tell({ kind: 'close', id });
        events.closed({ code: 'ipc/disconnected', message: 'Closed here.', remedy: '' });
      },
    };
  },
});
