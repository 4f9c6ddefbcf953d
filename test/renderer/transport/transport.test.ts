// The ways to an engine: the launch's token out of the address, a WebSocket as the loopback server wants it, the bridge of
// the preload script.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openBridge } from '../../../renderer/transport/bridge.ts';
import { takeToken } from '../../../renderer/transport/token.ts';
import { openWebSocket, webSocketUrl } from '../../../renderer/transport/websocket.ts';
import { settle } from '../clock.ts';

function storage(): Pick<Storage, 'getItem' | 'setItem'> & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

describe('the token', () => {
  it('leaves the address at once and stays for reloads of the tab', () => {
    const kept = storage();
    const replaceState = vi.fn();
    expect(takeToken({ hash: '#token=0a1b' }, { replaceState }, kept)).toBe('0a1b');
    expect(replaceState).toHaveBeenCalledWith(null, '', '#/connection');
    expect(takeToken({ hash: '#/routes' }, { replaceState }, kept)).toBe('0a1b');
    expect(replaceState).toHaveBeenCalledTimes(1);
    expect(takeToken({ hash: '' }, { replaceState }, storage())).toBe('');
  });
});

class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static last: FakeSocket | undefined;
  readonly sent: string[] = [];
  readyState = 0;
  readonly url: string;
  readonly protocols: readonly string[];
  constructor(url: string, protocols: readonly string[]) {
    super();
    this.url = url;
    this.protocols = protocols;
    FakeSocket.last = this;
  }
  send(message: string): void {
    this.sent.push(message);
  }
  close(): void {
    this.end(1000, '');
  }
  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }
  hear(data: string): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
  end(code: number, reason: string): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
  }
}

describe('the WebSocket', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  const open = (): { readonly client: ReturnType<ReturnType<typeof openWebSocket>>; readonly socket: FakeSocket } => {
    vi.stubGlobal('WebSocket', FakeSocket);
    const client = openWebSocket(webSocketUrl({ protocol: 'http:', host: '127.0.0.1:8' }), 'ab')();
    // The tests that expect it to fail look at it later.
    client.catch(() => {});
    if (!FakeSocket.last) throw new Error('no socket');
    return { client, socket: FakeSocket.last };
  };

  it('goes to the page’s own host, the token as a subprotocol and not in the address', () => {
    const { socket } = open();
    expect(socket.url).toBe('ws://127.0.0.1:8/engine');
    expect(socket.protocols).toEqual(['culvert', 'culvert.token.ab']);
    expect(webSocketUrl({ protocol: 'https:', host: 'x' })).toBe('wss://x/engine');
  });

  it('carries calls and answers', async () => {
    const { client, socket } = open();
    socket.open();
    const answer = (await client).call('list', {});
    expect(JSON.parse(socket.sent[0] ?? '')).toEqual({ id: 1, call: 'list', params: {} });
    socket.hear('{"id":1,"result":{"profiles":[]}}');
    expect(await answer).toEqual({ profiles: [] });
  });

  it('says that trying again does not help where the server refuses the token', async () => {
    const { client, socket } = open();
    socket.open();
    const { closed } = await client;
    socket.end(1008, 'This address is of an earlier start.');
    expect(await closed).toMatchObject({ code: 'ipc/no-permission', remedy: 'This address is of an earlier start.' });
  });

  it('rejects where nobody listens', async () => {
    const { client, socket } = open();
    socket.end(1006, '');
    await expect(client).rejects.toMatchObject({ code: 'ipc/disconnected' });
  });
});

describe('the bridge', () => {
  it('carries messages as text, and its end', async () => {
    const sent: string[] = [];
    let events: Parameters<Parameters<typeof openBridge>[0]['open']>[0] | undefined;
    const client = openBridge({
      open(given) {
        events = given;
        return { send: (message) => sent.push(message) > 0, close: () => {} };
      },
    })();
    events?.opened();
    const answer = (await client).call('disconnect', {});
    await settle();
    expect(sent).toEqual(['{"id":1,"call":"disconnect","params":{}}']);
    events?.heard('{"id":1,"result":{}}');
    expect(await answer).toEqual({});
    events?.closed({ code: 'ipc/disconnected', message: 'gone', remedy: '' });
    expect(await (await client).closed).toMatchObject({ code: 'ipc/disconnected', message: 'gone' });
  });
});
