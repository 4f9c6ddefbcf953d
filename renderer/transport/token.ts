// The launch's token comes in the address's fragment ("#token=…"), which is never sent to a server. It is taken out of the
// address at once, so that it is not in the history or copied with it, and kept for this tab's reloads.

const KEY = 'culvert.token';

export function takeToken(
  location: Pick<Location, 'hash'>,
  history: Pick<History, 'replaceState'>,
  storage: Pick<Storage, 'getItem' | 'setItem'>,
): string {
  const found = /^#token=([\w-]+)/.exec(location.hash)?.[1];
  if (!found) return storage.getItem(KEY) ?? '';
  storage.setItem(KEY, found);
  history.replaceState(null, '', '#/connection');
  return found;
}
