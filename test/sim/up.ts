// A connection that is up: both ends say so, name each other, and hold the same CHILD SAs.
import { expect } from 'vitest';
import { mirrored } from './mirrored.ts';
import type { Simulation } from './simulation.ts';

export function expectUp(sim: Simulation): void {
  const { client, peer } = sim;
  for (const end of [client, peer])
    expect(end).toMatchObject({ established: { kind: 'established' }, closed: undefined });
  expect(client.established?.proposal).toBe(peer.established?.proposal);
  const live = ({ installed, removed }: typeof client) => installed.filter(({ spiIn }) => !removed.includes(spiIn));
  expect(live(client).map((child) => ({ ...mirrored(child), encapsulation: expect.anything() }))).toEqual(live(peer));
}
