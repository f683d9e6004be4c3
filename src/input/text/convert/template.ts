import type { PostProcessorConfig } from '../steps/tokenizer-json.ts';

/**
 * Parses a template in the Rust library's notation: tokens separated by spaces, and `$A` and `$B` for the texts. Each
 * may have a suffix `:type`, by default 0.
 *
 * @throws Error for a token without an id
 */
export function template(
  single: string,
  pair: string,
  idOf: (token: string) => number | undefined,
): PostProcessorConfig {
  const special_tokens: Record<string, { ids: number[] }> = {};
  const pieces = (text: string) =>
    text.split(' ').map((piece) => {
      const [, token, type] = piece.match(/^(.+?)(?::(\d))?$/)!;
      const type_id = Number(type ?? 0);
      if (token === '$A' || token === '$B') return { Sequence: { id: token.slice(1) as 'A' | 'B', type_id } };
      const id = idOf(token!);
      if (id === undefined) throw new Error(`the special token ${token} is not in the vocabulary`);
      special_tokens[token!] = { ids: [id] };
      return { SpecialToken: { id: token!, type_id } };
    });
  return { type: 'TemplateProcessing', single: pieces(single), pair: pieces(pair), special_tokens };
}
