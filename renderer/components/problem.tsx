// An error as a person reads it: what happened, the likely cause and what to do, and a copy for whoever helps.
import type { ReactNode } from 'react';
import type { ContractError } from '../../main/ipc/contract.ts';
import { type Compared, comparisonOf, sideBySide } from '../../main/ipc/error.ts';
import { useI18n } from '../i18n/context.tsx';
import { isKey, type Translate } from '../i18n/translate.ts';
import { CopyButton } from './copy.tsx';
import { Icon } from './icon.tsx';

export interface ProblemProps {
  readonly error: ContractError;
  readonly tone?: 'bad' | 'warn';
  readonly actions?: ReactNode;
}

export function Problem({ error, tone = 'bad', actions }: ProblemProps): ReactNode {
  const { t, explain, say } = useI18n();
  const { what, remedy, detail, lang } = explain(error);
  return (
    <div className="notice" data-tone={tone} data-code={error.code}>
      <Icon name={tone === 'bad' ? 'bad' : 'warn'} />
      <div className="grow stack tight">
        <Lines text={what} lang={lang} className="problem-what" />
        {detail && error.mistakes?.length ? (
          <ul className="problem-lines">
            {error.mistakes.map((mistake) => (
              <li key={mistake.text} className="break">
                {say(mistake).text.trim()}
              </li>
            ))}
          </ul>
        ) : null}
        {remedy ? (
          <div className="problem-part">
            <span className="small quiet">{t('problem.whatToDo')}</span>
            <p className="break" lang={lang}>
              {remedy}
            </p>
          </div>
        ) : null}
        {detail ? (
          <details className="problem-part">
            <summary className="small quiet">{t('problem.detail')}</summary>
            <Lines text={detail} lang="en" className="small" />
          </details>
        ) : null}
        <Comparison rows={comparisonOf(error)} />
        <div className="row between problem-foot">
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

/** What we offered and what the gateway told that it accepts, side by side. */
function Comparison({ rows }: { readonly rows: readonly Compared[] }): ReactNode {
  const { t } = useI18n();
  if (rows.length === 0) return null;
  return (
    <div className="problem-part">
      <table className="small problem-compared">
        <caption className="small quiet">{t('problem.compared')}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('problem.offered')}</th>
            <th scope="col">{t('problem.accepted')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ kind, offered, accepted }) => (
            <tr key={kind}>
              <th scope="row">{kindText(kind, t)}</th>
              <td className="break" lang="en">
                <code>{offered || '–'}</code>
              </td>
              <td className="break" lang="en">
                {accepted ? <code>{accepted}</code> : t('problem.notTold')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function kindText(kind: string, t: Translate): string {
  const key = `problem.kind.${kind}`;
  return isKey(key) ? (t as (of: string) => string)(key) : kind;
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
  const extra = Object.entries(data ?? {})
    .filter(([key]) => !/^(offered|accepted)\./.test(key))
    .map(([key, value]) => `${key}: ${value}`);
  return [message, remedy, code, ...extra, sideBySide({ data })].filter(Boolean).join('\n');
}
