/** What was generated from a prompt. */
export interface Generated {
  /** Without special tokens. */
  text: string;
  /** The new tokens, with the one that ended them. */
  ids: Int32Array;
  /** Whether a token ended it (`eos_token_id`), or the length allowed. */
  finish: 'stop' | 'length';
}

/**
 * The new tokens of a row, of which it begins with `begun`, and why they end; without the padding behind.
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
