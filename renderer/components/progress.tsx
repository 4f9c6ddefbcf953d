// How far something is, with words beside the bar.
import type { ReactNode } from 'react';
import { Label, ProgressBar } from 'react-aria-components';
import '../theme/progress.css';

/** `value` from 0 to 1. */
export function Progress({ label, value, text }: { label: string; value: number; text: string }): ReactNode {
  const share = Math.min(1, Math.max(0, value));
  return (
    <ProgressBar className="progress" value={share} minValue={0} maxValue={1} formatOptions={{ style: 'percent' }}>
      {({ valueText }) => (
        <>
          <div className="row between">
            <Label className="field-label">{label}</Label>
            <span className="numeric">{valueText}</span>
          </div>
          <div className="progress-track">
            <div className="progress-bar" style={{ inlineSize: `${share * 100}%` }} />
          </div>
          <p className="small quiet">{text}</p>
        </>
      )}
    </ProgressBar>
  );
}
