// What the tests use of stage.mjs.
export interface Look {
  readonly scheme?: 'light' | 'dark';
  readonly forced?: boolean;
  readonly still?: boolean;
  readonly zoom?: number;
}
export interface StageBrowser {
  readonly complaints: readonly (string | undefined)[];
  send(method: string, params?: object): Promise<Record<string, unknown>>;
  /** The value of an expression in the page, awaited. */
  run<T = unknown>(expression: string): Promise<T>;
  until(expression: string): Promise<unknown>;
  look(width: number, height: number, look?: Look): Promise<unknown>;
  key(name: string): Promise<void>;
  settle(): Promise<unknown>;
  shoot(): Promise<Buffer>;
}
export interface Stage {
  readonly browser: StageBrowser;
  readonly fake: import('../../main/ipc/fake.ts').FakeEngine;
  play(
    name: string,
    how?: { readonly language?: string; readonly pseudo?: string; readonly until?: string },
  ): Promise<void>;
  /** What `until` of the last play came to. */
  readonly usable?: number;
  show(name: string): Promise<void>;
  press(selector: string): Promise<void>;
  type(selector: string, text: string): Promise<void>;
  close(): Promise<void>;
}
export function openStage(): Promise<Stage>;
export const SCENES: Readonly<
  Record<string, { readonly page: string; readonly alike?: boolean; readonly floats?: boolean }>
>;
