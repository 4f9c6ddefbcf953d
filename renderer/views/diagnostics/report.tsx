// The redacted report: read it, copy it, save it. The engine leaves the secrets out; nothing is sent anywhere from here.
import { type ReactNode, useState } from 'react';
import type { Result } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy.tsx';
import { Card } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useTask } from '../../store/context.tsx';

export function ReportCard({ profile }: { profile: string | null }): ReactNode {
  const { t } = useI18n();
  const engine = useEngine();
  const task = useTask();
  const [report, setReport] = useState<{ readonly made: Date; readonly what: Result<'report'> } | null>(null);
  const make = (): void =>
    void task.run(async () => {
      const what = await engine.call('report', profile === null ? {} : { profile });
      setReport({ made: new Date(), what });
    });
  return (
    <Card title={t('report.title')}>
      <p className="quiet">{t('report.text')}</p>
      {task.error ? <Problem error={task.error} /> : null}
      {report ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="report" tabIndex={0} aria-label={t('report.view')}>
          <pre className="mono" lang="en" dir="ltr">
            {report.what.text}
          </pre>
        </section>
      ) : null}
      <div className="row">
        <Button busy={task.busy} onPress={make}>
          {t(report ? 'report.again' : 'report.make')}
        </Button>
        {report ? (
          <>
            <Button icon="download" onPress={() => save(report.what.text, 'text/plain', nameOf(report.made, 'txt'))}>
              {t('report.saveText')}
            </Button>
            <Button
              icon="download"
              onPress={() => save(report.what.json, 'application/json', nameOf(report.made, 'json'))}
            >
              {t('report.saveJson')}
            </Button>
            <CopyButton text={report.what.text} />
          </>
        ) : null}
      </div>
    </Card>
  );
}

/** "culvert-report-2024-05-01-1300.txt", in UTC. */
export const nameOf = (made: Date, extension: string): string =>
  `culvert-report-${made.toISOString().slice(0, 16).replace('T', '-').replace(':', '')}.${extension}`;

function save(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the data once it began.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
