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
        <p className="problem-what break" lang={lang}>
          {what}
        </p>
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
            <p className="small break" lang="en">
              {detail}
            </p>
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

/** For a mail to whoever helps. */
export function plainText({ code, message, remedy, data }: ContractError): string {
  const extra = Object.entries(data ?? {}).map(([key, value]) => `${key}: ${value}`);
  return [message, remedy, code, ...extra].filter(Boolean).join('\n');
}
