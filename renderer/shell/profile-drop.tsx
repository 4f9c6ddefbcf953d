// A profile file dropped anywhere on the window is imported.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useI18n } from '../i18n/context.tsx';
import { ImportDialog } from '../views/profiles/import-dialog.tsx';

export function ProfileDrop({ children }: { children: ReactNode }): ReactNode {
  const { t } = useI18n();
  const [over, setOver] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const depth = useRef(0);

  useEffect(() => {
    const carriesFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent): void => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      depth.current++;
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (!carriesFile(event)) return;
      depth.current = Math.max(0, depth.current - 1);
      if (!depth.current) setOver(false);
    };
    const hover = (event: DragEvent): void => {
      if (carriesFile(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      depth.current = 0;
      setOver(false);
      setFile(event.dataTransfer?.files[0] ?? null);
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', hover);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', hover);
      window.removeEventListener('drop', drop);
    };
  }, []);

  return (
    <>
      {children}
      {over ? (
        <div className="drop-target" aria-hidden="true">
          <span>{t('profiles.dropHere')}</span>
        </div>
      ) : null}
      {file ? <ImportDialog file={file} onClose={() => setFile(null)} /> : null}
    </>
  );
}
