// Line icons on a 20 by 20 grid, in the text's colour. Always beside words or inside something that has a name. None points
// along the line of text, so none is mirrored where text runs from the right: up, down, and clockwise are the same there.
import type { ReactNode } from 'react';

const PATHS = {
  connection: 'M3 15V10a7 7 0 0 1 14 0v5M7 15v-4.5a3 3 0 0 1 6 0V15M2.5 17h15',
  profiles: 'M5 2.500h7l3.5 3.500v11.500H5zM12 2.500V6h3.500M7.5 10h5.500M7.5 13.500h5.5',
  routes:
    'M5 4.500a1.5 1.5 0 1 0 0 .1M15 15.500a1.5 1.5 0 1 0 0 .1M6.5 4.500H12a2.75 2.75 0 0 1 0 5.500H8a2.75 2.75 0 0 0 0 5.500h5.5',
  mtu: 'M2.5 6.500h15v7h-15zM6 6.500v3M9 6.500v4M12 6.500v3M15 6.500v4',
  diagnostics: 'M2.5 10.500h3.500l2-6 4 11 2-5h3.5',
  settings: 'M3 5.500h7M14 5.500h3M12 3.500v4M3 10h2M9 10h8M7 8v4M3 14.500h8M15 14.500h2M13 12.500v4',
  ok: 'M10 2.500a7.5 7.5 0 1 0 .01 0zM6.5 10.200l2.400 2.400 4.600-5',
  info: 'M10 2.500a7.5 7.5 0 1 0 .01 0zM10 9v5M10 6.200v.3',
  warn: 'M10 3l7.5 13.500h-15zM10 8v4M10 14.200v.1',
  bad: 'M10 2.500a7.5 7.5 0 1 0 .01 0zM7.300 7.300l5.400 5.400M12.700 7.300l-5.400 5.400',
  lock: 'M4.5 9h11v8h-11zM7 9V6.500a3 3 0 0 1 6 0V9M10 12v2',
  shield: 'M10 2.500l6.5 2.500v4.500c0 4-2.800 6.800-6.5 8-3.700-1.200-6.5-4-6.5-8V5z',
  copy: 'M7 7h9.500v9.500H7zM13 7V3.500H3.500V13H7',
  close: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  trash: 'M4 5.500h12M8 5.500V3.500h4v2M5.5 5.500l.7 11h7.600l.7-11M8.300 8.500v5M11.700 8.500v5',
  edit: 'M4 16l.7-3.300L13.300 4l2.700 2.700-8.700 8.600z',
  chevron: 'M5.5 8l4.5 4.500L14.5 8',
  down: 'M10 4v11M5.5 10.500L10 15l4.5-4.5',
  up: 'M10 16V5M5.5 9.500L10 5l4.5 4.5',
  refresh: 'M16 10a6 6 0 1 1-1.800-4.300M16.5 3v3.500H13',
  upload: 'M10 13V3.500M6 7l4-4 4 4M3.5 12v4.500h13V12',
  download: 'M10 3v9.500M6 9l4 4 4-4M3.5 12v4.500h13V12',
  search: 'M8.75 3.500a5.250 5.250 0 1 0 .01 0zM12.700 12.700l4 4',
  power: 'M10 3v6.500M6 5.200a6.250 6.250 0 1 0 8 0',
  unplugged:
    'M3 17l4-4M6 9l5 5-1.5 1.500a3.5 3.5 0 0 1-5 0 3.5 3.5 0 0 1 0-5zM14 11L9 6l1.5-1.500a3.5 3.5 0 0 1 5 0 3.5 3.5 0 0 1 0 5zM13 7l4-4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg
      className="icon"
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a culvert, a way underneath. */
export function Mark(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0b6b68" />
      <path d="M5 24V16a11 11 0 0 1 22 0v8" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <path d="M11 24v-7.5a5 5 0 0 1 10 0V24" fill="none" stroke="#9fe0d8" strokeWidth="2.6" strokeLinecap="round" />
      <path d="M5 27.500h22" stroke="#fff" strokeWidth="2.2" strokeLinecap="round" />
    </svg>
  );
}
