// What changed, for people who do not see it: two live regions that are always there, as screen readers want. The same
// text twice in a row is said twice.
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

export type Announce = (text: string, urgency?: 'polite' | 'assertive') => void;

const Context = createContext<Announce>(() => {});

/** Says something to assistive technology. `assertive` interrupts: for what a person must know now. */
export function useAnnounce(): Announce {
  return useContext(Context);
}

interface Said {
  readonly text: string;
  readonly turn: number;
}

const NOTHING: Said = { text: '', turn: 0 };

export function Announcer({ children }: { children: ReactNode }): ReactNode {
  const [polite, setPolite] = useState(NOTHING);
  const [assertive, setAssertive] = useState(NOTHING);
  const announce = useCallback<Announce>((text, urgency = 'polite') => {
    const set = urgency === 'polite' ? setPolite : setAssertive;
    set(({ turn }) => ({ text, turn: turn + 1 }));
  }, []);
  return (
    <Context value={useMemo(() => announce, [announce])}>
      {children}
      {/* A no-break space more in every second turn makes the same text a change. */}
      <div className="only-heard" role="status" aria-live="polite">
        {polite.text + (polite.turn % 2 ? ' ' : '')}
      </div>
      <div className="only-heard" role="alert" aria-live="assertive">
        {assertive.text + (assertive.turn % 2 ? ' ' : '')}
      </div>
    </Context>
  );
}
