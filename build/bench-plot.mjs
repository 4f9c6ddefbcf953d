// Draws what the benchmarks measured: one SVG of bars, readable on light and dark pages, without a library. Ratios only, each
// to a peer of the same run, because absolute figures belong to a machine and an hour.
//
//   plot(folder with *.json of one `npm run bench`) → the SVG's text, or undefined where there is nothing to draw
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const WIDTH = 900;
const LABELS = 320;
const BARS = 480;
const BAR = 9;
const ROW = 30;
const HEAD = 58;
const GAP = 26;

const STYLE = `
  svg { --page: #ffffff; --ink: #1f2328; --faint: #59636e; --rule: #d1d9e0; --ours: #0969da; --theirs: #818b98 }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --rule: #3d444d; --ours: #4493f8; --theirs: #7d8590 }
  }
  text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink) }
  .page { fill: var(--page) } .title { font-size: 16px; font-weight: 600 } .faint { fill: var(--faint); font-size: 12px }
  .value { font-size: 11px; paint-order: stroke; stroke: var(--page); stroke-width: 3px } .ours { fill: var(--ours) } .theirs { fill: var(--theirs) } .second { opacity: 0.55 }
  .rule { stroke: var(--rule); stroke-width: 1 } .one { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3 }
`;

const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x, y, words, className = '') =>
  `<text x="${x}" y="${y}"${className && ` class="${className}"`}>${escaped(words)}</text>`;

function load(folder, name) {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** One group of bars: { title, note, series: [name, …], rows: [{ label, ours, values: [number, …] }] }. */
function panel({ title, note, series, rows }, top) {
  const most = Math.max(1, ...rows.flatMap(({ values }) => values));
  const scale = (value) => (value / most) * BARS;
  const left = LABELS + 20;
  const bottom = top + HEAD + rows.length * ROW;
  const parts = [text(20, top + 18, title, 'title'), text(20, top + 38, note, 'faint')];
  series.forEach((name, i) => {
    const x = WIDTH - 60 - (series.length - i) * 95;
    parts.push(`<rect x="${x}" y="${top + 8}" width="12" height="10" class="ours${i ? ' second' : ''}"/>`);
    parts.push(text(x + 17, top + 17, name, 'faint'));
  });
  parts.push(`<line x1="${left}" y1="${top + HEAD - 8}" x2="${left}" y2="${bottom}" class="rule"/>`);
  const one = (left + scale(1)).toFixed(1);
  parts.push(`<line x1="${one}" y1="${top + HEAD - 8}" x2="${one}" y2="${bottom}" class="one"/>`);
  rows.forEach(({ label, ours, values }, row) => {
    const y = top + HEAD + row * ROW;
    parts.push(text(20, y + 13, label));
    values.forEach((value, i) => {
      const at = y + i * (BAR + 2) + (values.length === 1 ? 5 : 0);
      const className = `${ours ? 'ours' : 'theirs'}${i ? ' second' : ''}`;
      parts.push(
        `<rect x="${left}" y="${at}" width="${Math.max(1, scale(value)).toFixed(1)}" height="${BAR}" rx="1.5" class="${className}"/>`,
      );
      parts.push(
        text((left + scale(value) + 5).toFixed(1), at + BAR, `${value.toFixed(value < 10 ? 2 : 1)}×`, 'value'),
      );
    });
  });
  return { height: bottom - top, svg: parts.join('\n') };
}

/** Throughput and CPU of whole tunnels, OpenVPN's fastest cipher being 1. The bare link would dwarf all others: left out. */
function endToEnd(result, link) {
  const rows = result?.rows.filter(({ product }) => product !== 'bare') ?? [];
  const reference = rows.filter(({ product }) => product === 'openvpn');
  if (!reference.length) return [];
  const best = (way) => Math.max(...reference.map((row) => row[way].throughput.median));
  const least = (way) => Math.min(...reference.map((row) => row[way].cpu.median));
  const make = (value) =>
    rows.map((row) => ({
      label: row.name,
      ours: row.product === 'culvert',
      values: ['up', 'down'].map((way) => value(row, way)),
    }));
  return [
    {
      title: `TCP through the tunnel, ${link}`,
      note: "more is better; 1× is OpenVPN's fastest cipher in the same direction",
      series: ['up', 'down'],
      rows: make((row, way) => row[way].throughput.median / best(way)),
    },
    {
      title: `Data moved per CPU second, ${link}`,
      note: "more is better; 1× is OpenVPN's thriftiest cipher; both ends, kernel and iperf3 included",
      series: ['up', 'down'],
      rows: make((row, way) => least(way) / row[way].cpu.median),
    },
    ...roundTrips(rows, reference, link),
  ];
}

/** Pings through whole tunnels, OpenVPN's quickest being 1: how many times quicker. */
function roundTrips(rows, reference, link) {
  const measures = [(row) => row.idlePing?.median, (row) => Math.max(row.up.loaded99, row.down.loaded99)];
  const known = (row) => measures.every((measure) => measure(row) > 0);
  if (!reference.every(known)) return [];
  const quickest = measures.map((measure) => Math.min(...reference.map(measure)));
  return [
    {
      title: `Round trips, ${link}`,
      note: "more is better; 1× is OpenVPN's quickest cipher; loaded: the slowest of a hundred while TCP fills the tunnel",
      series: ['idle', 'loaded'],
      rows: rows.filter(known).map((row) => ({
        label: row.name,
        ours: row.product === 'culvert',
        values: measures.map((measure, i) => quickest[i] / measure(row)),
      })),
    },
  ];
}

/** What each product takes, by `measures` of a row, in Culvert's smallest: less is better. */
function taken(result, title, note, series, measures) {
  const rows = (result?.rows ?? []).filter((row) => measures.every((measure) => measure(row) > 0));
  const ours = rows.filter(({ product }) => product === 'culvert');
  if (!ours.length) return [];
  const least = measures.map((measure) => Math.min(...ours.map(measure)));
  return [
    {
      title,
      note: `less is better; 1× is Culvert; ${note}`,
      series,
      rows: rows.map((row) => ({
        label: row.name,
        ours: row.product === 'culvert',
        values: measures.map((measure, i) => measure(row) / least[i]),
      })),
    },
  ];
}

/** The data plane alone against node:crypto packet by packet, on one core. */
function path(result) {
  const of = (wanted) =>
    result?.rows.filter((row) => Object.entries(wanted).every(([name, value]) => row[name] === value)) ?? [];
  const rows = of({ path: 'culvert', cores: 1 }).flatMap((row) => {
    const [peer] = of({ path: 'node', cipher: row.cipher, size: row.size });
    if (!peer) return [];
    const value = row.packetsPerSecond.median / peer.packetsPerSecond.median;
    return [{ ...row, value }];
  });
  const labels = rows.filter(({ offloads }) => !offloads);
  if (!labels.length) return [];
  return [
    {
      title: 'The data plane alone, packets per second',
      note: '1× is node:crypto and one system call a packet, in the same run, on one core',
      series: ['plain', 'offloads'],
      rows: labels.map(({ cipher, size, value }) => ({
        label: `${cipher}, ${size} B`,
        ours: true,
        values: [
          value,
          ...rows.filter((row) => row.offloads && row.cipher === cipher && row.size === size).map((row) => row.value),
        ],
      })),
    },
  ];
}

/** Sealing alone, in the largest batch measured. */
function crypto(result) {
  const batches = result?.rows.map(({ batch }) => batch ?? 0) ?? [];
  const rows = (result?.rows ?? [])
    .filter(({ direction, batch, ns }) => direction === 'seal' && (batch ?? 0) === Math.max(...batches) && ns.node)
    .map(({ cipher, bytes, ns }) => ({ label: `${cipher}, ${bytes} B`, ours: true, values: [ns.node / ns.culvert] }));
  if (!rows.length) return [];
  return [
    {
      title: 'Sealing packets in batches',
      note: '1× is node:crypto packet by packet (KeyObject), in the same run; AES with the accelerator where it was on',
      series: [],
      rows,
    },
    ...libraries(result),
  ];
}

const LIBRARIES = [
  ['noble', '@noble/ciphers'],
  ['chainsafe', '@chainsafe/as-…'],
  ['libsodium', 'libsodium-wrappers'],
  ['sodium-native', 'sodium-native'],
];

/** How many times faster than each library that Node programs use, the shortest and the longest packets measured. */
function libraries(result) {
  const sealed = result.rows.filter(({ direction }) => direction === 'seal');
  const largest = Math.max(...sealed.map(({ batch }) => batch ?? 0));
  const rows = sealed.filter(({ batch }) => (batch ?? 0) === largest);
  const sizes = [Math.min(...rows.map(({ bytes }) => bytes)), Math.max(...rows.map(({ bytes }) => bytes))];
  const ciphers = [...new Set(rows.map(({ cipher }) => cipher))];
  const drawn = ciphers.flatMap((cipher) =>
    LIBRARIES.flatMap(([name, label]) => {
      const values = sizes.map((size) => {
        const { ns } = rows.find((row) => row.cipher === cipher && row.bytes === size) ?? {};
        return ns?.[name] / ns?.culvert;
      });
      return values.every((value) => value > 0) ? [{ label: `${cipher}: ${label}`, ours: false, values }] : [];
    }),
  );
  if (!drawn.length) return [];
  return [
    {
      title: 'Sealing packets in batches, other libraries',
      note: 'how many times as long each takes as Culvert, in the same run; 1× is Culvert',
      series: sizes.map((size) => `${size} B`),
      rows: drawn,
    },
  ];
}

export function plot(folder) {
  const names = ['end-to-end-offloads', 'end-to-end-plain', 'path', 'crypto', 'memory', 'start-up'];
  const results = names.map((name) => load(folder, name));
  const [offloads, plain, alone, primitives, memory, start] = results;
  const panels = [
    ...endToEnd(offloads, 'link with segmentation offloads'),
    ...endToEnd(plain, 'link without offloads'),
    ...path(alone),
    ...crypto(primitives),
    ...taken(
      memory,
      'Resident memory',
      'connected, and after the second transfer',
      ['connected', 'after'],
      [(row) => row.connected, (row) => row.afterSecond],
    ),
    ...taken(
      // The demo's row has no engine to be ready.
      start && { rows: start.rows.filter(({ ready }) => ready?.max !== 0) },
      'From start to connected',
      'the program itself, and all of it',
      ['connecting', 'total'],
      [(row) => row.connected?.median, (row) => row.total?.median],
    ),
  ];
  if (!panels.length) return undefined;
  const { machine } = results.find((result) => result?.machine) ?? {};
  let y = 64;
  const drawn = panels.map((one) => {
    const { height, svg } = panel(one, y);
    y += height + GAP;
    return svg;
  });
  const when = machine
    ? `${machine.date.slice(0, 10)}; ${machine.cores} cores, ${machine.processor}, Linux ${machine.kernel}, Node ${machine.node}; load average before ${machine.loadBefore.toFixed(1)}`
    : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Culvert's benchmarks: bars of ratios to each peer">
<style>${STYLE}</style>
<rect width="${WIDTH}" height="${y}" class="page"/>
${text(20, 28, 'Culvert against its peers, each figure a ratio within one run', 'title')}
${text(20, 48, when, 'faint')}
${drawn.join('\n')}
</svg>
`;
}
