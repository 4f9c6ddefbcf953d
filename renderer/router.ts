// Pages by the address's fragment: "#/routes". Links are ordinary links; back and forward work.
import { useSyncExternalStore } from 'react';

export const PAGES = ['connection', 'profiles', 'routes', 'mtu', 'diagnostics', 'settings'] as const;
export type PageName = (typeof PAGES)[number];

export const pageHref = (page: PageName): string => `#/${page}`;

/** What is not a page leads to the first one. */
export function pageOf(hash: string): PageName {
  const name = hash.replace(/^#\/?/, '').split('/')[0];
  return PAGES.find((page) => page === name) ?? 'connection';
}

export function goTo(page: PageName): void {
  location.hash = pageHref(page);
}

const subscribe = (listener: () => void): (() => void) => {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
};

export function usePage(): PageName {
  return useSyncExternalStore(subscribe, () => pageOf(location.hash));
}
