// Form controls: a labelled text field, a choice, a switch. Labels are visible; what is wrong is said below and tied to it.
import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  Select as AriaSelect,
  Switch as AriaSwitch,
  TextField as AriaTextField,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  Text,
  TextArea,
} from 'react-aria-components';
import { Icon } from './icon.tsx';

export interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string;
  /** Makes the field invalid. */
  readonly error?: string | null;
  readonly warning?: string | null;
  readonly lines?: boolean;
  readonly type?: 'text' | 'url' | 'search' | 'password';
  readonly mono?: boolean;
  readonly disabled?: boolean;
  readonly autoFocus?: boolean;
  readonly maxLength?: number;
  readonly placeholder?: string;
}

export function TextField(props: TextFieldProps): ReactNode {
  const { label, value, onChange, hint, error, warning, lines = false } = props;
  const className = props.mono ? 'input mono' : 'input';
  const shared = { className, ...(props.placeholder ? { placeholder: props.placeholder } : {}) };
  return (
    <AriaTextField
      className="field"
      value={value}
      onChange={onChange}
      isInvalid={Boolean(error)}
      isDisabled={props.disabled ?? false}
      type={props.type ?? 'text'}
      autoComplete="off"
      spellCheck="false"
      validationBehavior="aria"
      {...(props.autoFocus ? { autoFocus: true } : {})}
      {...(props.maxLength ? { maxLength: props.maxLength } : {})}
    >
      <Label className="field-label">{label}</Label>
      {lines ? <TextArea {...shared} /> : <Input {...shared} />}
      {hint && !error && !warning ? (
        <Text slot="description" className="field-hint">
          {hint}
        </Text>
      ) : null}
      {warning && !error ? (
        <Text slot="description" className="field-warning">
          {warning}
        </Text>
      ) : null}
      <FieldError className="field-error">{error}</FieldError>
    </AriaTextField>
  );
}

export interface Option<V extends string> {
  readonly value: V;
  readonly name: string;
  readonly detail?: string;
}

export interface ChoiceProps<V extends string> {
  readonly label: string;
  /** The label is there for assistive technology only. */
  readonly quietLabel?: boolean;
  readonly value: V | null;
  readonly options: readonly Option<V>[];
  readonly onChange: (value: V) => void;
  readonly placeholder?: string;
  readonly hint?: string;
  readonly disabled?: boolean;
}

export function Choice<V extends string>(props: ChoiceProps<V>): ReactNode {
  const { label, value, options, onChange, quietLabel = false } = props;
  const chosen = options.find((option) => option.value === value);
  return (
    <AriaSelect
      className="field"
      value={value}
      onChange={(key) => {
        const next = options.find((option) => option.value === key);
        if (next) onChange(next.value);
      }}
      isDisabled={props.disabled ?? false}
    >
      <Label className={quietLabel ? 'only-heard' : 'field-label'}>{label}</Label>
      <AriaButton className="select">
        <SelectValue>{chosen?.name ?? props.placeholder ?? ''}</SelectValue>
        <Icon name="chevron" />
      </AriaButton>
      {props.hint ? (
        <Text slot="description" className="field-hint">
          {props.hint}
        </Text>
      ) : null}
      <Popover className="popover">
        <ListBox>
          {options.map((option) => (
            <ListBoxItem key={option.value} id={option.value} className="option" textValue={option.name}>
              {/* All of it is the name: what is seen is what is heard, and what a voice may ask for. */}
              <Text slot="label">
                {option.name}
                {option.detail ? <span className="small quiet option-detail">{option.detail}</span> : null}
              </Text>
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

export interface SwitchProps {
  readonly children: ReactNode;
  readonly selected: boolean;
  readonly onChange: (selected: boolean) => void;
  readonly disabled?: boolean;
}

export function Switch({ children, selected, onChange, disabled = false }: SwitchProps): ReactNode {
  return (
    <AriaSwitch className="switch" isSelected={selected} onChange={onChange} isDisabled={disabled}>
      <span className="switch-track" />
      <span>{children}</span>
    </AriaSwitch>
  );
}
