import type { PlainError } from './plain-error.ts';
import type { Service } from './service.ts';

/** One of two ends, which what is sent at the other comes out of. What is sent is plain data. */
export interface Port<Received> {
  send(message: unknown): void;
  onMessage(listener: (message: Received) => void): void;
}

export type Method = keyof Service;

/** Asks for a method of a service; the answer has the same id. */
export interface Call {
  id: number;
  method: Method;
  /** Those of the method that are plain data. */
  args: readonly unknown[];
}

/** Says that nobody waits for the answer any longer. */
export interface Cancel {
  cancel: number;
}

/** A piece of the text that a call writes, or how the call has ended. */
export type Reply = { id: number } & ({ text: string } | { value: unknown } | { error: PlainError });
