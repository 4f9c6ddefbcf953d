/** The SVG of the results in `folder` (build/out/bench), or undefined where there is nothing to draw. */
export function plot(folder: string): string | undefined;
