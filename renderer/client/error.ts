// Whatever was thrown, as an error that can be shown.
import type { ContractError } from '../../main/ipc/contract.ts';

export function contractError(error: unknown): ContractError {
  if (typeof error === 'object' && error !== null) {
    const { code, message, remedy, data, mistakes } = error as Readonly<Record<string, unknown>>;
    if (typeof code === 'string' && typeof message === 'string')
      return {
        code,
        message,
        remedy: typeof remedy === 'string' ? remedy : '',
        ...(typeof data === 'object' && data !== null ? { data: data as NonNullable<ContractError['data']> } : {}),
        ...(Array.isArray(mistakes) ? { mistakes: mistakes as NonNullable<ContractError['mistakes']> } : {}),
      };
  }
  return { code: 'ipc/internal', message: error instanceof Error ? error.message : String(error), remedy: '' };
}
