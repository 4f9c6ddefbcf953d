// Copies a text and says so.
import { type ReactNode, useCallback } from 'react';
import { useI18n } from '../i18n/context.tsx';
import { Button } from './button.tsx';
import { useToast } from './toasts.tsx';

export function useCopy(): (text: string) => void {
  const { t } = useI18n();
  const toast = useToast();
  return useCallback(
    (text) => {
      navigator.clipboard.writeText(text).then(
        () => toast({ tone: 'ok', text: t('app.copied') }),
        () => toast({ tone: 'bad', text: t('app.copyFailed') }),
      );
    },
    [t, toast],
  );
}

export function CopyButton({ text, children }: { text: string; children?: ReactNode }): ReactNode {
  const { t } = useI18n();
  const copy = useCopy();
  return (
    <Button kind="quiet" size="small" icon="copy" onPress={() => copy(text)}>
      {children ?? t('app.copy')}
    </Button>
  );
}
