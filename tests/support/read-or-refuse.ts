import { expect } from 'vitest';
import { UserError } from '../../src/support/user-error.ts';

/**
 * Passes untrusted inputs to a reader. Each must be rejected with a message, or give a value that passes the check.
 * Both must occur, because otherwise the inputs test nothing.
 *
 * @param check throws for a value that this input must not give
 */
export function readOrRefuse<Input, Value>(
  inputs: Iterable<Input>,
  read: (input: Input) => Value,
  check: (value: Value, input: Input) => void,
): void {
  const ends = { read: 0, refused: 0 };
  for (const input of inputs) {
    const outcome = attempt(() => read(input));
    if (outcome) check(outcome.value, input);
    ends[outcome ? 'read' : 'refused']++;
  }
  expect(ends.read).toBeGreaterThan(0);
  expect(ends.refused).toBeGreaterThan(0);
}

/** Returns what the reader returns. Undefined if it rejects the input with a proper message. */
function attempt<Value>(read: () => Value): { value: Value } | undefined {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The message is a single line, however long or wild the quoted value is.
    expect(error.message).toMatch(/^\S.*\.$/);
    expect(error.message.length).toBeLessThan(1000);
    return undefined;
  }
}

/** Yields copies of a file, one for every `step` bytes. In each copy, one bit of that byte is flipped. */
export function* withBitTurned(bytes: Uint8Array, step = 1): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) {
    const changed = bytes.slice();
    changed[at]! ^= 1 << (at % 8);
    yield changed;
  }
}
