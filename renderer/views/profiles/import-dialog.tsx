import type { ReactNode } from 'react';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { useI18n } from '../../i18n/context.tsx';

export function ImportDialog({ file, onClose }: { file: File; onClose: () => void }): ReactNode {
  const { t } = useI18n();
  return (
    <Dialog title={file.name} onClose={onClose} actions={<Button onPress={onClose}>{t('app.close')}</Button>}>
      {null}
    </Dialog>
  );
}
