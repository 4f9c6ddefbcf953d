// An engine that was killed leaves what was meant for its tunnel blocked. Whoever finds no engine then has to be told why the network
// is gone, and how it comes back.
import { EngineError, ipcError } from '../ipc/error.ts';

/** `connect`, and where no engine runs though one left its lock (`left`), what that means. */
export function explainCrash<T>(
  connect: (socketPath: string) => Promise<T>,
  left: () => boolean,
): (socketPath: string) => Promise<T> {
  return async (socketPath) => {
    try {
      return await connect(socketPath);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'ipc/not-running' || !left()) throw error;
      throw ipcError(
        'ipc/not-running',
        `${error.message} The one that ran before was killed.`,
        'If it was connected, what was meant for the tunnel is still blocked. Starting it again (`sudo culvert daemon`) gives the network back.',
        error.data,
      );
    }
  };
}
