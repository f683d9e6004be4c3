/** One end of a channel between threads. Messages are plain data. */
export interface Port<Received> {
  send(message: unknown): void;
  onMessage(listener: (message: Received) => void): void;
}

/** A method call. Its answer has the same id. */
export interface Call {
  id: number;
  method: string;
  args: readonly unknown[];
}

/** Reports that the caller no longer waits for the answer. */
export interface Cancel {
  cancel: number;
}

/** A message before the answer, such as a piece of text; or the value or error that ends the call. */
export type Reply = { id: number } & ({ update: unknown } | { value: unknown } | { error: unknown });
