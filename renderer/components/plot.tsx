// A time series on a canvas (uPlot). New data are drawn with the next frame, once, however often they come. Colours are the
// theme's variables. The canvas is a picture to assistive technology; `summary` says what it shows.
import { type ReactNode, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useI18n } from '../i18n/context.tsx';

export interface PlotSeries {
  readonly name: string;
  /** Names of custom properties: "--plot-in". */
  readonly colour: string;
  readonly fill?: string;
  readonly dashed?: boolean;
  /** One for each time; null: a gap. */
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  /** Unix time in seconds, rising. */
  readonly times: readonly number[];
  readonly series: readonly PlotSeries[];
  /** Seconds shown, up to the newest time. */
  readonly span: number;
  /** Pixels. */
  readonly height: number;
  readonly format: (value: number) => string;
  /** The upper end of the scale is at least this. */
  readonly least: number;
  readonly summary: string;
}

const AXIS_WIDTH = 76;
const AXIS_HEIGHT = 28;

export function Plot(props: PlotProps): ReactNode {
  const { locale } = useI18n();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const frame = useRef(0);
  const shape = props.series.map(({ name, colour }) => `${name} ${colour}`).join('\n');

  // The canvas is made anew only where its series or the language change.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the series
  useEffect(() => {
    const element = host.current;
    if (!element || !document.createElement('canvas').getContext('2d')) return;
    const made = new uPlot(options(latest, locale, element), dataOf(latest.current), element);
    plot.current = made;
    const redraw = (): void => made.redraw(false);
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: latest.current.height });
    });
    resized.observe(element);
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', redraw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      dark.removeEventListener('change', redraw);
      made.destroy();
      plot.current = null;
    };
  }, [shape, locale]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again when the data change
  useEffect(() => {
    if (frame.current) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      plot.current?.setData(dataOf(latest.current));
    });
  }, [props.times, props.series]);
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    },
    [],
  );

  return (
    <div className="plot" role="img" aria-label={props.summary}>
      <div ref={host} aria-hidden="true" style={{ blockSize: props.height }} />
    </div>
  );
}

function dataOf({ times, series }: PlotProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function options(latest: { readonly current: PlotProps }, locale: string, element: HTMLElement): uPlot.Options {
  const variable = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim();
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
  const axis = {
    stroke: () => variable('--text-2'),
    font: `11px ${variable('--font')}`,
    grid: { stroke: () => variable('--plot-grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth || 300,
    height: latest.current.height,
    pxAlign: true,
    legend: { show: false },
    cursor: { show: false },
    // Half a label of the time stands beyond the newest point.
    padding: [8, 28, 0, 0],
    scales: {
      x: {
        time: true,
        range: (_, __, newest) => {
          const end = newest ?? 0;
          return [end - latest.current.span, end];
        },
      },
      y: { range: (_, __, most) => [0, Math.max(latest.current.least, (most ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, size: AXIS_HEIGHT, space: 90, values: (_, splits) => splits.map((time) => clock.format(time * 1000)) },
      {
        ...axis,
        size: AXIS_WIDTH,
        space: 32,
        values: (_, splits) => splits.map((value) => latest.current.format(value)),
      },
    ],
    series: [
      {},
      ...latest.current.series.map(({ name, colour, fill, dashed }): uPlot.Series => {
        return {
          label: name,
          width: 1.75,
          stroke: () => variable(colour),
          points: { show: false },
          ...(fill ? { fill: () => variable(fill) } : {}),
          ...(dashed ? { dash: [5, 4] } : {}),
        };
      }),
    ],
  };
}
