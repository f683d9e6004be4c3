/** The result of generating from a prompt. */
export interface Generated {
  /** Without special tokens. */
  text: string;
  /** The new tokens, including the one that ended them. */
  ids: Int32Array;
  /** Whether it ended with a token of `eos_token_id` or at the maximum length. */
  finish: 'stop' | 'length';
}

/**
 * The new tokens of a row that starts with `begun` tokens, and why they ended; without the padding after them.
 *
 * @param ends tokens that end a text
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
