// A sentence of the engine in the person's language; marked as English where it is not known here, so that it is pronounced rightly.
import type { ReactNode } from 'react';
import type { Told } from '../../main/ipc/contract.ts';
import { useI18n } from '../i18n/context.tsx';

export function Spoken({ told }: { readonly told: Told }): ReactNode {
  const { text, lang } = useI18n().say(told);
  return lang ? <span lang={lang}>{text}</span> : text;
}
