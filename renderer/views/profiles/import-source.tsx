// Where a profile comes from: a file, a web address, or a text from the clipboard.
import { type ReactNode, useState } from 'react';
import { FileTrigger, Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/fields.tsx';
import { useI18n } from '../../i18n/context.tsx';
import type { Source } from './import-dialog.tsx';

export interface ImportSourceProps {
  readonly busy: boolean;
  readonly onFile: (file: File) => void;
  readonly onSource: (source: Source) => void;
}

export function ImportSource({ busy, onFile, onSource }: ImportSourceProps): ReactNode {
  const { t } = useI18n();
  const [url, setUrl] = useState('');
  const [text, setText] = useState('');
  const [asked, setAsked] = useState(false);
  const good = isWebAddress(url);
  const checkUrl = (): void => {
    setAsked(true);
    if (good) onSource({ kind: 'url', url: url.trim() });
  };
  return (
    <Tabs className="source">
      <TabList className="source-tabs" aria-label={t('profiles.from')}>
        <Tab id="file" className="source-tab">
          {t('profiles.from.file')}
        </Tab>
        <Tab id="url" className="source-tab">
          {t('profiles.from.url')}
        </Tab>
        <Tab id="text" className="source-tab">
          {t('profiles.from.text')}
        </Tab>
      </TabList>
      <TabPanel id="file" className="source-panel">
        <div className="file-area">
          <p className="quiet">{t('profiles.importHint')}</p>
          <FileTrigger
            acceptedFileTypes={['.culvert', '.json', 'application/json']}
            onSelect={(files) => {
              const [file] = files ?? [];
              if (file) onFile(file);
            }}
          >
            <Button icon="upload" busy={busy}>
              {t('profiles.chooseFile')}
            </Button>
          </FileTrigger>
        </div>
      </TabPanel>
      <TabPanel id="url" className="source-panel">
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            checkUrl();
          }}
        >
          <TextField
            label={t('profiles.url')}
            type="url"
            value={url}
            onChange={setUrl}
            hint={t('profiles.urlHint')}
            error={asked && !good ? t('profiles.urlWrong') : null}
            maxLength={2048}
          />
          <div className="row end">
            <Button type="submit" busy={busy}>
              {t('profiles.check')}
            </Button>
          </div>
        </form>
      </TabPanel>
      <TabPanel id="text" className="source-panel">
        <div className="stack">
          <TextField label={t('profiles.text')} lines value={text} onChange={setText} hint={t('profiles.textHint')} />
          <div className="row end">
            <Button
              busy={busy}
              disabled={!text.trim()}
              onPress={() => onSource({ kind: 'text', name: t('profiles.pasted'), text })}
            >
              {t('profiles.check')}
            </Button>
          </div>
        </div>
      </TabPanel>
    </Tabs>
  );
}

/** https and a host: a profile carries a secret. */
export function isWebAddress(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text.trim());
    return protocol === 'https:' && hostname !== '';
  } catch {
    return false;
  }
}
