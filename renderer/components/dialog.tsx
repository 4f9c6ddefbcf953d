// A dialog over the page: focus stays inside, Escape closes it, focus returns to where it was.
import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import type { ContractError } from '../../main/ipc/contract.ts';
import { useI18n } from '../i18n/context.tsx';
import { Button } from './button.tsx';
import { Problem } from './problem.tsx';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** The buttons, the one that closes first. */
  readonly actions: ReactNode;
  readonly wide?: boolean;
  /** For questions that must be answered before anything else. */
  readonly alert?: boolean;
}

/** Shown as long as it is rendered. */
export function Dialog({ title, onClose, children, actions, wide = false, alert = false }: DialogProps): ReactNode {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable={!alert} onOpenChange={(open) => open || onClose()}>
      <Modal className="modal" {...(wide ? { 'data-wide': '' } : {})}>
        <AriaDialog className="dialog" role={alert ? 'alertdialog' : 'dialog'}>
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
          <div className="row end dialog-acts">{actions}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  /** What the button does: "Remove", never "OK". */
  readonly action: string;
  readonly danger?: boolean;
  readonly busy?: boolean;
  readonly error?: ContractError | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function Confirm({
  title,
  text,
  action,
  danger = false,
  busy = false,
  error,
  onConfirm,
  onClose,
}: ConfirmProps) {
  const { t } = useI18n();
  return (
    <Dialog
      title={title}
      alert
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t('app.cancel')}</Button>
          <Button kind={danger ? 'danger' : 'primary'} busy={busy} onPress={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      <p>{text}</p>
      {error ? <Problem error={error} /> : null}
    </Dialog>
  );
}
