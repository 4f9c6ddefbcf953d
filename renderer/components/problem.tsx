// An error as a person reads it: what happened, the likely cause and what to do, and a copy for whoever helps.
import type { ReactNode } from 'react';
import type { ContractError } from '../../main/ipc/contract.ts';
import { useI18n } from '../i18n/context.tsx';
import { CopyButton } from './copy.tsx';
import { explain } from './explain.ts';
import { Icon } from './icon.tsx';

export interface ProblemProps {
  readonly error: ContractError;
  readonly tone?: 'bad' | 'warn';
  readonly actions?: ReactNode;
}

export function Problem({ error, tone = 'bad', actions }: ProblemProps): ReactNode {
  const { t, language } = useI18n();
  const { what, remedy, detail, lang } = explain(error, t, language);
  return (
    <div className="notice" data-tone={tone} data-code={error.code}>
      <Icon name={tone === 'bad' ? 'bad' : 'warn'} />
      <div className="grow stack tight">
        <Lines text={what} lang={lang} className="problem-what" />
        {remedy ? (
          <div className="problem-part">
            <span className="small quiet">{t('problem.whatToDo')}</span>
            <p className="break" lang={lang}>
              {remedy}
            </p>
          </div>
        ) : null}
        {detail ? (
          <div className="problem-part">
            <span className="small quiet">{t('problem.detail')}</span>
            <Lines text={detail} lang="en" className="small" />
          </div>
        ) : null}
        <div className="row between">
          <code className="small quiet break">{error.code}</code>
          <span className="row">
            {actions}
            <CopyButton text={plainText(error)} />
          </span>
        </div>
      </div>
    </div>
  );
}

/** The first line is the sentence; what follows, such as the mistakes of a profile, is a list. */
function Lines({ text, lang, className }: { text: string; lang: string | undefined; className: string }): ReactNode {
  const [first, ...rest] = text.split('\n');
  return (
    <>
      <p className={`break ${className}`} lang={lang}>
        {first}
      </p>
      {rest.length ? (
        <ul className="problem-lines" lang={lang}>
          {rest.map((line) => (
            <li key={line} className="break">
              {line.trim()}
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

/** For a mail to whoever helps. */
export function plainText({ code, message, remedy, data }: ContractError): string {
  const extra = Object.entries(data ?? {}).map(([key, value]) => `${key}: ${value}`);
  return [message, remedy, code, ...extra].filter(Boolean).join('\n');
}
