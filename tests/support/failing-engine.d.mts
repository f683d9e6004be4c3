export type Operation = 'open' | 'run' | 'release';

export class FailingEngine {
  readonly opened: number;
  constructor(build: { create: (...args: never[]) => Promise<unknown> });
  fail(operation: Operation, options?: { after?: number; times?: number }): void;
  recover(): void;
  restore(): void;
}
