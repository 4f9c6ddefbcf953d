// What has to be undone when the demo ends, however it ends: the newest first, each once, none stopping the others.

export interface Undo {
  add(what: string, step: () => Promise<void> | void): void;
  /** Runs every step; resolves to what went wrong, in words. A second call waits for the first. */
  run(): Promise<readonly string[]>;
}

export function createUndo(): Undo {
  const steps: { readonly what: string; readonly step: () => Promise<void> | void }[] = [];
  let running: Promise<readonly string[]> | undefined;
  async function all(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (let next = steps.pop(); next; next = steps.pop()) {
      try {
        await next.step();
      } catch (error) {
        problems.push(`${next.what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return problems;
  }
  return {
    add: (what, step) => void steps.push({ what, step }),
    run: () => {
      running ??= all();
      return running;
    },
  };
}
