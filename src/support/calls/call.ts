/** One end of a line between threads. Messages are plain data. */
export interface Port<Received> {
  send(message: unknown): void;
  onMessage(listener: (message: Received) => void): void;
}

/** Asks for a method; the answer has the same id. */
export interface Call {
  id: number;
  method: string;
  args: readonly unknown[];
}

/** Says that the caller no longer waits for the answer. */
export interface Cancel {
  cancel: number;
}

/** What a call tells on its way, such as a piece of text; then its value or its error. */
export type Reply = { id: number } & ({ told: unknown } | { value: unknown } | { error: unknown });
