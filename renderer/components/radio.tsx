// One of a few ways, each with a sentence that says what it means: all visible at once, arrows move between them.
import type { ReactNode } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';
import '../theme/radio.css';

export interface RadioOption<V extends string> {
  readonly value: V;
  readonly name: string;
  readonly detail?: string;
}

export interface RadiosProps<V extends string> {
  readonly label: string;
  /** The label is there for assistive technology only. */
  readonly quietLabel?: boolean;
  readonly value: V;
  readonly options: readonly RadioOption<V>[];
  readonly onChange: (value: V) => void;
  readonly disabled?: boolean;
  /** Beside one another where there is room. */
  readonly inline?: boolean;
}

export function Radios<V extends string>(props: RadiosProps<V>): ReactNode {
  const { label, value, options, onChange, quietLabel = false, disabled = false, inline = false } = props;
  return (
    <RadioGroup
      className="radios"
      value={value}
      isDisabled={disabled}
      onChange={(next) => {
        const option = options.find((one) => one.value === next);
        if (option) onChange(option.value);
      }}
    >
      <Label className={quietLabel ? 'only-heard' : 'field-label'}>{label}</Label>
      <div className="radio-list" {...(inline ? { 'data-inline': '' } : {})}>
        {options.map((option) => (
          <Radio key={option.value} value={option.value} className="radio">
            <span className="radio-mark" />
            <span>
              <span className="radio-name">{option.name}</span>
              {option.detail ? <span className="radio-detail">{option.detail}</span> : null}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
