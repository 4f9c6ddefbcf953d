import type { ReactNode } from 'react';
import { Page } from '../../components/page.tsx';
import { useI18n } from '../../i18n/context.tsx';

export function ConnectionPage(): ReactNode {
  const { t } = useI18n();
  return <Page title={t('connection.title')}>{null}</Page>;
}
