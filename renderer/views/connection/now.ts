// The time, for what ticks: draws again at each full second counted from `from`.
import { useEffect, useState } from 'react';

/** Unix time in milliseconds, brought up to date once a second. */
export function useNow(from: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const tick = (): void => {
      const time = Date.now();
      setNow(time);
      // Just after the second turns, so that none is shown twice or left out.
      const past = (((time - from) % 1000) + 1000) % 1000;
      timer = setTimeout(tick, 1005 - past);
    };
    tick();
    return () => clearTimeout(timer);
  }, [from]);
  return now;
}
