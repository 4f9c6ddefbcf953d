import type { errors as en } from '../en/errors.ts';
import type { Translated } from '../message.ts';

export const errors: Translated<typeof en> = {
  'error.ipc/disconnected': '引擎在应答之前已退出。',
  'error.ipc/disconnected.remedy': '系统会不断重试。如果引擎没有恢复，请重新启动它或查看其日志。',
};
