// The log: filter, follow, copy.
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { LogEntry, LogLevel } from '../../../main/ipc/contract.ts';
import { Button } from '../../components/button.tsx';
import { useCopy } from '../../components/copy.tsx';
import { Choice, Switch, TextField } from '../../components/fields.tsx';
import { Card } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useI18n } from '../../i18n/context.tsx';
import { useEngine, useModel, useTask } from '../../store/context.tsx';
import { LOG_LINES, type Model } from '../../store/model.ts';
import { type Filter, filterLog, joinLog, logText, NO_FILTER, SHOWN } from './log.ts';

const heardOf = (model: Model) => model.log;
const openOf = (model: Model): boolean => model.link.state === 'open';
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
/** The choice of every area; areas of the engine have no space. */
const ALL = ' all';

export function LogCard(): ReactNode {
  const { t, f } = useI18n();
  const engine = useEngine();
  const copy = useCopy();
  const heard = useModel(heardOf);
  const open = useModel(openOf);
  const task = useTask();
  const { run } = task;
  const [kept, setKept] = useState<readonly LogEntry[] | null>(null);
  const [filter, setFilter] = useState<Filter>({ ...NO_FILTER, level: 'info' });
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLElement>(null);

  // Another engine has another log.
  useEffect(() => {
    if (open) void run(async () => setKept((await engine.call('logs', { lines: LOG_LINES })).entries));
  }, [open, run, engine]);

  const all = useMemo(() => joinLog(kept ?? [], heard), [kept, heard]);
  const areas = useMemo(() => [...new Set(all.map(({ area }) => area))].sort(), [all]);
  const shown = useMemo(() => filterLog(all, filter).slice(-SHOWN), [all, filter]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list, another end
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, follow]);

  return (
    <Card
      title={t('log.title')}
      actions={
        <Button size="small" kind="quiet" icon="copy" disabled={!shown.length} onPress={() => copy(logText(shown))}>
          {t('log.copy')}
        </Button>
      }
    >
      <div className="log-filter">
        <Choice
          label={t('log.level')}
          value={filter.level}
          options={LEVELS.map((level) => ({ value: level, name: t(`log.level.${level}`) }))}
          onChange={(level) => setFilter({ ...filter, level })}
        />
        <Choice
          label={t('log.area')}
          value={filter.area ?? ALL}
          options={[{ value: ALL, name: t('log.area.all') }, ...areas.map((area) => ({ value: area, name: area }))]}
          onChange={(area) => setFilter({ ...filter, area: area === ALL ? null : area })}
        />
        <TextField
          label={t('log.text')}
          type="search"
          value={filter.text}
          onChange={(text) => setFilter({ ...filter, text })}
          maxLength={200}
        />
      </div>
      {task.error ? <Problem error={task.error} /> : null}
      {shown.length ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section className="log" ref={box} tabIndex={0} aria-label={t('log.entries')}>
          <ol>
            {shown.map((entry, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: entries have no identity, and two may be equal
              <li key={i} className="log-entry" data-level={entry.level}>
                <time dateTime={new Date(entry.time).toISOString()}>{f.time(entry.time)}</time>
                <span className="log-level">{t(`log.${entry.level}`)}</span>
                <span className="log-area">{entry.area}</span>
                <span className="break" lang="en" dir="ltr">
                  {entry.text}
                </span>
              </li>
            ))}
          </ol>
        </section>
      ) : (
        <div className="row">
          <p className="quiet">
            {kept === null && !task.error ? t('app.loading') : all.length ? t('log.noMatch') : t('log.empty')}
          </p>
          {all.length ? (
            <Button size="small" kind="quiet" onPress={() => setFilter(NO_FILTER)}>
              {t('log.clear')}
            </Button>
          ) : null}
        </div>
      )}
      <div className="row between">
        <Switch selected={follow} onChange={setFollow}>
          {t('log.follow')}
        </Switch>
        <span className="small quiet numeric">{t('log.shown', { count: shown.length })}</span>
      </div>
    </Card>
  );
}
