// Says every change of the tunnel's state aloud, on whatever page; what a person must know at once interrupts.
import { type ReactNode, useEffect, useRef } from 'react';
import { useAnnounce } from '../components/announcer.tsx';
import { useI18n } from '../i18n/context.tsx';
import { useModel } from '../store/context.tsx';
import { faceOf } from '../views/connection/face.ts';

export function StateAnnouncer(): ReactNode {
  const { t } = useI18n();
  const announce = useAnnounce();
  const face = useModel(faceOf);
  const before = useRef<string | null>(null);
  const profile = 'profile' in face ? face.profile : '';
  useEffect(() => {
    const { kind } = face;
    const key = `${kind} ${profile}`;
    // The first state is what the page shows anyway; steps within one state are not news.
    const news = before.current !== null && before.current !== key;
    before.current = kind === 'starting' && before.current === null ? null : key;
    if (!news) return;
    const grave = kind === 'failed' || kind === 'unreachable' || kind === 'blocked' || kind === 'refused';
    announce(t(`announce.${kind}`, { profile }), grave ? 'assertive' : 'polite');
  }, [face, profile, announce, t]);
  return null;
}
