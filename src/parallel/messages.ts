import type { Communicator } from './communicator.ts';

/** {@link Communicator.gather} for JSON values. */
export function gatherJson<T>(communicator: Communicator, value: T): T[] {
  if (communicator.size === 1) return [value];
  return communicator.gather(encode(value)).map((bytes) => decode(bytes) as T);
}

export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function decode(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
