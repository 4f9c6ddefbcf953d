// Buttons. `kind`: primary, one a page; danger, what cannot be undone; quiet, beside others.
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { Icon, type IconName } from './icon.tsx';

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  readonly size?: 'small' | 'medium' | 'large';
  readonly icon?: IconName;
  /** Shows a spinner and does nothing when pressed; stays where the keyboard's focus is. */
  readonly busy?: boolean;
  readonly disabled?: boolean;
  readonly type?: 'button' | 'submit';
  /** Says more than the text does, where several buttons have the same text. Must contain the text. */
  readonly label?: string;
  readonly describedBy?: string;
}

export function Button(props: ButtonProps): ReactNode {
  const { children, onPress, kind = 'plain', size = 'medium', icon, busy = false, disabled = false } = props;
  return (
    <AriaButton
      className="button"
      data-kind={kind}
      data-size={size}
      // No form is sent meanwhile, as with Enter in one of its fields.
      type={busy ? 'button' : (props.type ?? 'button')}
      isDisabled={disabled}
      // Not react-aria's isPending: it has the button's name announced by reference for seven seconds, and where the button
      // is gone by then (Connect, once connected) that is a picture without a name. What happened is announced by itself.
      {...(busy ? { 'aria-disabled': true } : {})}
      {...(props.label ? { 'aria-label': props.label } : {})}
      {...(props.describedBy ? { 'aria-describedby': props.describedBy } : {})}
      {...(onPress && !busy ? { onPress } : {})}
    >
      {busy ? <span className="spinner" aria-hidden="true" /> : icon ? <Icon name={icon} /> : null}
      {children}
    </AriaButton>
  );
}

export interface IconButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onPress: () => void;
  readonly kind?: 'plain' | 'quiet' | 'danger';
  readonly size?: 'small' | 'medium';
  readonly disabled?: boolean;
}

export function IconButton({
  icon,
  label,
  onPress,
  kind = 'quiet',
  size = 'medium',
  disabled = false,
}: IconButtonProps) {
  return (
    <AriaButton
      className="button"
      data-kind={kind}
      data-size={size}
      data-icon-only=""
      aria-label={label}
      isDisabled={disabled}
      onPress={onPress}
    >
      <Icon name={icon} />
    </AriaButton>
  );
}
