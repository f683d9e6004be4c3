/** The text generated from a prompt. */
export interface Generated {
  /** The text without special tokens. */
  text: string;
  /** The new tokens, including the end token. */
  ids: Int32Array;
  /** Why generation ended: by an end token, or by the maximum length. */
  finish: 'stop' | 'length';
}

/**
 * The new tokens of a row, without padding, and why they ended. The row starts with `begun` other tokens.
 *
 * @param ends the end tokens
 */
export function newTokens(
  row: Int32Array,
  begun: number,
  ends: readonly number[] = [],
): Pick<Generated, 'ids' | 'finish'> {
  const rest = row.subarray(begun);
  const end = rest.findIndex((id) => ends.includes(id));
  return end < 0 ? { ids: rest, finish: 'length' } : { ids: rest.subarray(0, end + 1), finish: 'stop' };
}
