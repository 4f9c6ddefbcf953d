// Short messages that go by themselves; said aloud by the announcer. Errors stay until they are closed.
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react';
import { useI18n } from '../i18n/context.tsx';
import { useAnnounce } from './announcer.tsx';
import { IconButton } from './button.tsx';
import type { Tone } from './tone.ts';

export interface Toast {
  readonly tone: Tone;
  readonly text: string;
}

const Context = createContext<(toast: Toast) => void>(() => {});

export function useToast(): (toast: Toast) => void {
  return useContext(Context);
}

/** How long a toast stays, in milliseconds: long enough to be read twice. */
const STAY = 7_000;
const MOST = 4;

export function Toasts({ children }: { children: ReactNode }): ReactNode {
  const [toasts, setToasts] = useState<readonly (Toast & { readonly id: number })[]>([]);
  const next = useRef(1);
  const announce = useAnnounce();
  const { t } = useI18n();
  const drop = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = next.current++;
      setToasts((all) => [...all.slice(1 - MOST), { ...toast, id }]);
      announce(toast.text);
    },
    [announce],
  );
  return (
    <Context value={show}>
      {children}
      {toasts.length ? (
        <section className="toasts" aria-label={t('app.messages')}>
          {toasts.map((toast) => (
            <ToastCard key={toast.id} toast={toast} onClose={() => drop(toast.id)} />
          ))}
        </section>
      ) : null}
    </Context>
  );
}

function ToastCard({ toast, onClose }: { toast: Toast; onClose: () => void }): ReactNode {
  const { t } = useI18n();
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    if (toast.tone === 'bad') return;
    const timer = setTimeout(() => close.current(), STAY);
    return () => clearTimeout(timer);
  }, [toast.tone]);
  return (
    <div className="toast" data-tone={toast.tone}>
      <span className="grow break">{toast.text}</span>
      <IconButton icon="close" size="small" label={t('app.close')} onPress={onClose} />
    </div>
  );
}
