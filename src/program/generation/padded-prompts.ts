import { UserError } from '../../support/user-error.ts';

/** Prompts that are padded to the same length. */
export interface PaddedPrompts {
  rows: readonly (readonly number[])[];
  /** Number of padding tokens in each row. */
  paddings: readonly number[];
  /** Length of every row. */
  length: number;
  /** The concatenated rows; `mask` has 1 for a real token, 0 for padding. */
  tokens: Int32Array;
  mask: Int32Array;
}

/**
 * Pads prompts to the length of the longest.
 *
 * @throws UserError for a prompt without tokens, and if padding is needed but the model has no padding token
 */
export function padPrompts(
  prompts: readonly ArrayLike<number>[],
  side: 'left' | 'right',
  pad: number | undefined,
): PaddedPrompts {
  const length = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 0);
  const paddings = prompts.map((prompt) => length - prompt.length);
  const empty = prompts.findIndex((prompt) => prompt.length === 0);
  if (empty >= 0) {
    throw new UserError({
      where: `prompt ${empty + 1}`,
      fault: 'has no tokens',
      hint: 'Give it text, or set bos_token_id.',
    });
  }
  if (pad === undefined && paddings.some((count) => count > 0)) {
    throw new UserError({
      where: 'pad_token_id',
      fault: 'is not set, and neither is eos_token_id: prompts of different lengths need a padding token',
      hint: 'Set pad_token_id, or generate from one prompt at a time.',
    });
  }
  const padded = (prompt: ArrayLike<number>, filler: number): number[] => {
    const filling = new Array<number>(length - prompt.length).fill(filler);
    return side === 'left' ? [...filling, ...Array.from(prompt)] : [...Array.from(prompt), ...filling];
  };
  const rows = prompts.map((prompt) => padded(prompt, pad ?? 0));
  const mask = prompts.map((prompt) => padded(new Uint8Array(prompt.length).fill(1), 0));
  return {
    rows,
    paddings,
    length,
    tokens: Int32Array.from(rows.flat()),
    mask: Int32Array.from(mask.flat()),
  };
}
