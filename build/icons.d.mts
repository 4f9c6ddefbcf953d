/** RGBA, 8 bits each, not premultiplied, of a square of `pixels`; `colour` (#rrggbb) is what currentColor means. */
export function rasterise(svg: string, pixels: number, colour: string): Buffer;
/** A PNG file of such pixels. */
export function png(image: Buffer, pixels: number): Buffer;
/** macOS' and Windows' icon files of PNGs by their edge in pixels. */
export function icns(pngs: Readonly<Record<number, Buffer>>): Buffer;
export function ico(pngs: Readonly<Record<number, Buffer>>): Buffer;
/** Draws all icons into `folder`, which it empties first. */
export function drawIcons(folder: string): void;
