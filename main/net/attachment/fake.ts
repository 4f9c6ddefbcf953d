// A reader for tests: says what it is told to say.
import { type Attachment, type AttachmentReader, OFFLINE, type Place } from './api.ts';

export interface FakeAttachment extends AttachmentReader {
  /** From now on. `mark`: another one is another place; by default the network's own words. */
  join(attachment: Attachment, mark?: string): void;
  /** From now on reading does not end, until it joins one. */
  hang(): void;
  readonly reads: number;
}

export function fakeAttachment(first: Attachment = { kind: 'offline' }): FakeAttachment {
  let place: Place = OFFLINE;
  let hanging = false;
  let reads = 0;
  const fake: FakeAttachment = {
    join(attachment, mark = JSON.stringify(attachment)) {
      hanging = false;
      place = { attachment, mark: attachment.kind === 'offline' ? '' : mark };
    },
    hang() {
      hanging = true;
    },
    read() {
      reads++;
      return hanging ? new Promise(() => {}) : Promise.resolve(place);
    },
    get reads() {
      return reads;
    },
  };
  fake.join(first);
  return fake;
}
