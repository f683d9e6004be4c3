import type { TokenizerJson } from './steps/tokenizer-json.ts';

/**
 * For every id of a vocabulary 1 where the token begins a word, else 0: by `##` (WordPiece), or by the space or line end
 * before it (`Ġ`, `▁`). Special tokens begin one each.
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
