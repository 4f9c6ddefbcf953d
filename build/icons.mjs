// Draws the icons: build/icons/tray-*.svg and renderer/public/icon.svg → build/out/icons/*.png. Reads the part of SVG that
// these files use and says so where there is more: <rect> with rx, <path> of M L H V A Z (circular arcs), fill, stroke with
// round ends. Each point's distance to the shape gives its coverage.
//   tray-{off,busy,on,problem}.png, @2x.png             16 and 32 pixels, coloured: panels may be light or dark
//   tray-{…}Template.png, @2x.png                       black and alpha only: macOS colours them itself
//   app-{16…512}.png                                    the app
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Distinct on dark and on light panels; the shapes differ too, for whoever cannot tell the colours apart. */
const COLOURS = { off: '#8b9298', busy: '#d98e04', on: '#12a594', problem: '#e5484d' };
const APP_SIZES = [16, 32, 48, 64, 128, 256, 512];

/** Degrees of an arc that one straight piece covers. */
const STEP = Math.PI / 48;

/** The path's lines: a list of subpaths, each a flat list of x, y. */
function lines(d) {
  const words = d.match(/[a-zA-Z]|-?(?:\d+\.?\d*|\.\d+)/g) ?? [];
  const subpaths = [];
  let [x, y, i, command] = [0, 0, 0, ''];
  const number = () => Number(words[i++]);
  while (i < words.length) {
    if (/[a-zA-Z]/.test(words[i])) command = words[i++];
    const relative = command === command.toLowerCase();
    const [fromX, fromY] = relative ? [x, y] : [0, 0];
    const path = subpaths.at(-1);
    switch (command.toUpperCase()) {
      case 'M':
        [x, y] = [fromX + number(), fromY + number()];
        subpaths.push([x, y]);
        command = relative ? 'l' : 'L';
        break;
      case 'L':
        [x, y] = [fromX + number(), fromY + number()];
        path.push(x, y);
        break;
      case 'H':
        x = fromX + number();
        path.push(x, y);
        break;
      case 'V':
        y = fromY + number();
        path.push(x, y);
        break;
      case 'A': {
        const [rx, ry, , large, sweep] = [number(), number(), number(), number(), number()];
        const [toX, toY] = [fromX + number(), fromY + number()];
        if (rx !== ry) throw new Error(`only circular arcs are drawn: ${d}`);
        arc(path, x, y, rx, large, sweep, toX, toY);
        [x, y] = [toX, toY];
        break;
      }
      case 'Z':
        [x, y] = path;
        path.push(x, y);
        break;
      default:
        throw new Error(`the path command ${command} is not drawn: ${d}`);
    }
  }
  return subpaths;
}

/** SVG 2, appendix B.2.4, for a circle. */
function arc(path, x, y, radius, large, sweep, toX, toY) {
  const [halfX, halfY] = [(toX - x) / 2, (toY - y) / 2];
  const half = Math.hypot(halfX, halfY);
  const r = Math.max(radius, half);
  const up = Math.sqrt(r * r - half * half) * (large === sweep ? -1 : 1);
  const centreX = x + halfX - (up * halfY) / half;
  const centreY = y + halfY + (up * halfX) / half;
  const first = Math.atan2(y - centreY, x - centreX);
  let turn = Math.atan2(toY - centreY, toX - centreX) - first;
  if (sweep && turn <= 0) turn += 2 * Math.PI;
  if (!sweep && turn >= 0) turn -= 2 * Math.PI;
  const pieces = Math.ceil(Math.abs(turn) / STEP);
  for (let i = 1; i <= pieces; i++) {
    const angle = first + (turn * i) / pieces;
    path.push(centreX + r * Math.cos(angle), centreY + r * Math.sin(angle));
  }
}

function rectangle({ x = '0', y = '0', width, height, rx = '0' }) {
  const [left, top, w, h, r] = [x, y, width, height, rx].map(Number);
  const corner = (dx, dy) => (r > 0 ? `a${r} ${r} 0 0 1 ${dx} ${dy}` : '');
  return (
    `M${left + r} ${top}h${w - 2 * r}${corner(r, r)}v${h - 2 * r}${corner(-r, r)}` +
    `h${2 * r - w}${corner(-r, -r)}v${2 * r - h}${corner(r, -r)}Z`
  );
}

/** Shapes of an SVG's text, lowest first. */
function parse(svg) {
  const [, size] = /viewBox="0 0 (\d+) \1"/.exec(svg) ?? [];
  if (!size) throw new Error('an icon needs a square viewBox that begins at 0 0');
  const shapes = [];
  for (const [, tag, text] of svg.matchAll(/<(\w+)([^>]*?)\/?>/g)) {
    if (tag === 'svg' || tag === 'title') continue;
    const attributes = Object.fromEntries(
      [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );
    if (tag !== 'path' && tag !== 'rect') throw new Error(`<${tag}> is not drawn`);
    const { fill = 'none', stroke = 'none' } = attributes;
    const width = Number(attributes['stroke-width'] ?? 1);
    shapes.push({ paths: lines(tag === 'rect' ? rectangle(attributes) : attributes.d), fill, stroke, width });
  }
  return { size: Number(size), shapes };
}

/** Red, green, blue of `#rgb` or `#rrggbb`. */
function rgb(colour) {
  const digits = colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join('') : colour.slice(1);
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16));
}

/** Distance of a point to the nearest line, and whether it is inside (even-odd). */
function measure(paths, x, y) {
  let nearest = Number.POSITIVE_INFINITY;
  let inside = false;
  for (const path of paths)
    for (let i = 0; i + 3 < path.length; i += 2) {
      const [ax, ay, bx, by] = [path[i], path[i + 1], path[i + 2], path[i + 3]];
      const [dx, dy] = [bx - ax, by - ay];
      const length = dx * dx + dy * dy;
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
      nearest = Math.min(nearest, Math.hypot(ax + along * dx - x, ay + along * dy - y));
      if (ay > y !== by > y && x < ax + ((y - ay) / dy) * dx) inside = !inside;
    }
  return { nearest, inside };
}

const clamp = (value) => Math.min(1, Math.max(0, value));

/** RGBA, 8 bits each, not premultiplied, of a square of `pixels`. `colour`: what currentColor is (#rrggbb). */
export function rasterise(svg, pixels, colour) {
  const { size, shapes } = parse(svg);
  const scale = pixels / size;
  const image = Buffer.alloc(pixels * pixels * 4);
  const paint = (at, [r, g, b], alpha) => {
    if (alpha === 0) return;
    const under = image[at + 3] / 255;
    const over = alpha + under * (1 - alpha);
    for (const [i, value] of [r, g, b].entries())
      image[at + i] = Math.round((value * alpha + image[at + i] * under * (1 - alpha)) / over);
    image[at + 3] = Math.round(over * 255);
  };
  for (const { paths, fill, stroke, width } of shapes) {
    const [inner, line] = [fill, stroke].map((name) =>
      name === 'none' ? null : rgb(name === 'currentColor' ? colour : name),
    );
    for (let row = 0; row < pixels; row++)
      for (let column = 0; column < pixels; column++) {
        const at = (row * pixels + column) * 4;
        const { nearest, inside } = measure(paths, (column + 0.5) / scale, (row + 0.5) / scale);
        if (inner) paint(at, inner, clamp(0.5 + (inside ? nearest : -nearest) * scale));
        if (line) paint(at, line, clamp(0.5 + (width / 2 - nearest) * scale));
      }
  }
  return image;
}

/** PNG (ISO/IEC 15948) of RGBA pixels: IHDR, one IDAT with filter 0 in every row, IEND. */
export function png(image, pixels) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(pixels, 0);
  header.writeUInt32BE(pixels, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const rows = Array.from({ length: pixels }, (_, row) => [
    Buffer.from([0]),
    image.subarray(row * pixels * 4, (row + 1) * pixels * 4),
  ]).flat();
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Draws all icons into `folder`, which it empties first. */
/** Icon types of macOS by their edge in pixels, all of which hold PNGs. */
const ICNS = { 16: 'icp4', 32: 'icp5', 64: 'icp6', 128: 'ic07', 256: 'ic08', 512: 'ic09' };

/** macOS' icon file: "icns", its length, then each icon as type, length (both with these eight bytes) and PNG, big-endian. */
export function icns(pngs) {
  const chunk = (type, ...parts) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(8 + parts.reduce((sum, part) => sum + part.length, 0), 4);
    return Buffer.concat([head, ...parts]);
  };
  return chunk(
    'icns',
    ...Object.entries(ICNS).flatMap(([size, type]) => (pngs[size] ? [chunk(type, pngs[size])] : [])),
  );
}

/** Windows' icon file: a directory of images (ICONDIR, little-endian), then their PNGs. A size of 256 is written as 0. */
export function ico(pngs) {
  const images = Object.entries(pngs).filter(([size]) => size <= 256);
  const directory = Buffer.alloc(6 + 16 * images.length);
  directory.writeUInt16LE(1, 2);
  directory.writeUInt16LE(images.length, 4);
  let offset = directory.length;
  for (const [i, [size, image]] of images.entries()) {
    const at = 6 + 16 * i;
    directory[at] = directory[at + 1] = size & 0xff;
    directory.writeUInt16LE(1, at + 4);
    directory.writeUInt16LE(32, at + 6);
    directory.writeUInt32LE(image.length, at + 8);
    directory.writeUInt32LE(offset, at + 12);
    offset += image.length;
  }
  return Buffer.concat([directory, ...images.map(([, image]) => image)]);
}

export function drawIcons(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const draw = (name, svg, pixels, colour) =>
    writeFileSync(join(folder, `${name}.png`), png(rasterise(svg, pixels, colour), pixels));
  for (const [state, colour] of Object.entries(COLOURS)) {
    const svg = readFileSync(join(root, `build/icons/tray-${state}.svg`), 'utf8');
    for (const [suffix, pixels] of [
      ['', 16],
      ['@2x', 32],
    ]) {
      draw(`tray-${state}${suffix}`, svg, pixels, colour);
      draw(`tray-${state}Template${suffix}`, svg, pixels, '#000000');
    }
  }
  const app = readFileSync(join(root, 'renderer/public/icon.svg'), 'utf8');
  const pngs = {};
  for (const pixels of APP_SIZES) {
    draw(`app-${pixels}`, app, pixels, '#000000');
    pngs[pixels] = readFileSync(join(folder, `app-${pixels}.png`));
  }
  writeFileSync(join(folder, 'app.icns'), icns(pngs));
  writeFileSync(join(folder, 'app.ico'), ico(pngs));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) drawIcons(join(root, 'build/out/icons'));
