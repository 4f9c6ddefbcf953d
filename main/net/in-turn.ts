// Work that must not overlap: changes of the operating system and of stored files are made one at a time, in the order in which they were
// asked for, so a close during an apply waits for it, and then undoes all of it.

export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Nothing begins before `first` has settled. What fails holds up nothing that comes after it; whoever asked for it is told. */
export function createTurns(first: Promise<unknown> = Promise.resolve()): InTurn {
  const settled = (done: Promise<unknown>): Promise<unknown> => done.catch(() => {});
  let last = settled(first);
  return (work) => {
    const done = last.then(work);
    last = settled(done);
    return done;
  };
}
