import type { TokenizerJson } from './steps/tokenizer-json.ts';

/**
 * For every id of a vocabulary, 1 if the token begins a word, otherwise 0. WordPiece marks tokens inside words by `##`.
 * Other models mark word starts by the space or line end before them (`Ġ`, `▁`). Each special token counts as a word.
 */
export function wordStarts(
  { model }: TokenizerJson,
  vocabulary: readonly (string | undefined)[],
  specialIds: ReadonlySet<number>,
): Uint8Array {
  const starts =
    model.type === 'WordPiece'
      ? (token: string) => !token.startsWith(model.continuing_subword_prefix)
      : (token: string) => /^[Ġ▁Ċčĉ\s]|^<0x0A>$/.test(token);
  return Uint8Array.from(vocabulary, (token = '', id) => Number(specialIds.has(id) || starts(token)));
}
