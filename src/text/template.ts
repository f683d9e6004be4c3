import type { Tokenizer } from '@huggingface/tokenizers';

/** A place in the input of a model: a special token, or the tokens of the first (`A`) or second (`B`) text. */
export interface Slot {
  token: number | 'A' | 'B';
  type: number;
}

// Placeholders for the texts, to see where the post-processor puts them; no vocabulary has them.
const A = '\u0000A';
const B = '\u0000B';

/**
 * What the tokenizer's post-processor puts around one text or a pair, read off its answer to placeholders.
 *
 * @throws Error when it leaves a text out.
 */
export function readTemplate(tokenizer: Tokenizer, isPair: boolean): Slot[] {
  const texts: ['A', 'B'] | ['A'] = isPair ? ['A', 'B'] : ['A'];
  const answer = tokenizer.post_processor?.post_process([A], isPair ? [B] : null, true);
  const tokens = answer ? [...answer.tokens, ...(answer.tokens_pair ?? [])] : isPair ? [A, B] : [A];
  const slots = tokens.map((token, at): Slot => {
    const type = answer?.token_type_ids?.[at] ?? 0;
    if (token === A || token === B) return { token: token === A ? 'A' : 'B', type };
    const id = tokenizer.token_to_id(token);
    if (id === undefined) throw new Error(`the special token ${token} is not in the vocabulary`);
    return { token: id, type };
  });
  for (const text of texts) {
    if (slots.filter(({ token }) => token === text).length !== 1)
      throw new Error(`no place for text ${text}`);
  }
  return slots;
}
