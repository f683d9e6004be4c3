import type { Communicator } from './communicator.ts';

/** {@link Communicator.gather} for what JSON can say. */
export function gatherJson<T>(communicator: Communicator, value: T): T[] {
  if (communicator.size === 1) return [value];
  return communicator.gather(encode(value)).map((bytes) => decode(bytes) as T);
}

/** A value of JSON as bytes. */
export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function decode(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
