import type { AddedToken, TokenizerJson } from '../steps/tokenizer-json.ts';

/** A token to add. Its id comes from the vocabulary. */
export type NewToken = Omit<AddedToken, 'id'>;

/**
 * Adds tokens as the Rust library does. Existing added tokens do not change. A new token gets its id in the vocabulary,
 * or the next free id.
 */
export function addTokens(json: TokenizerJson, tokens: readonly NewToken[]): void {
  const { model, added_tokens: added } = json;
  const ids =
    model.type === 'Unigram'
      ? new Map(model.vocab.map(([token], id) => [token, id]))
      : new Map(Object.keys(model.vocab).map((token) => [token, model.vocab[token]]));
  const known = new Set(added.map(({ content }) => content));
  let next = added.reduce(
    (most, { id }) => Math.max(most, id + 1),
    model.type === 'Unigram' ? model.vocab.length : ids.size,
  );
  for (const token of tokens) {
    if (token.content === '' || known.has(token.content)) continue;
    known.add(token.content);
    added.push({ ...token, id: ids.get(token.content) ?? next++ });
  }
}
