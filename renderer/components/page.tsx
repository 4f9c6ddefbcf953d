// A page's frame, a card on it, a list of facts, a badge, a notice: the pieces that hold text.
import { type ReactNode, useId } from 'react';
import { Icon, type IconName } from './icon.tsx';
import type { Tone } from './tone.ts';

export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <div className="page">
      <header className="page-head">
        <h1>{title}</h1>
        {actions ? <div className="row">{actions}</div> : null}
      </header>
      {children}
    </div>
  );
}

export interface CardProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  readonly className?: string;
}

export function Card({ title, actions, children, className }: CardProps): ReactNode {
  const id = useId();
  return (
    <section className={className ? `card ${className}` : 'card'} aria-labelledby={id}>
      <div className="card-head">
        <h2 id={id}>{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

export interface Fact {
  readonly name: string;
  /** Nothing is shown where this is null. */
  readonly value: ReactNode;
  /** Addresses, proposals and the like: in a fixed pitch, left to right in every language. */
  readonly mono?: boolean;
}

export interface FactsProps {
  readonly facts: readonly Fact[];
  /** Name and value side by side also where there is little room. */
  readonly short?: boolean;
  /** Two facts side by side where there is much room. */
  readonly columns?: boolean;
}

export function Facts({ facts, short = false, columns = false }: FactsProps): ReactNode {
  return (
    <dl className={short ? 'facts short' : 'facts'} {...(columns ? { 'data-columns': '' } : {})}>
      {facts
        .filter(({ value }) => value !== null)
        .map(({ name, value, mono }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{mono ? <bdi className="mono">{value}</bdi> : value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Badge({ tone = 'idle', icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className="badge" data-tone={tone}>
      {icon ? <Icon name={icon} /> : null}
      {children}
    </span>
  );
}

const TONE_ICONS: Readonly<Record<Tone, IconName>> = { idle: 'info', ok: 'ok', busy: 'info', warn: 'warn', bad: 'bad' };

export function Notice({
  tone = 'idle',
  children,
  actions,
}: {
  tone?: Tone;
  children: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="notice" data-tone={tone}>
      <Icon name={TONE_ICONS[tone]} />
      <div className="grow stack tight">{children}</div>
      {actions}
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
