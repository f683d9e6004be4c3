/** The roles that transformers gives to tokens, by their names in tokenizer_config.json. */
export const ROLES = [
  ...(['bos_token', 'eos_token', 'unk_token', 'sep_token'] as const),
  ...(['pad_token', 'cls_token', 'mask_token'] as const),
];

export type Role = (typeof ROLES)[number];

/** Which tokens play a role, as text. */
export type SpecialTokens = Partial<Record<Role, string>>;

/** What old tokenizer_config.json leave to the tokenizer's class: GPT-2, BERT and RoBERTa of the Hub are such. */
const BY_CLASS: SpecialTokensByCustom = {
  bos_token: ['<s>', '<|endoftext|>'],
  eos_token: ['</s>', '<|endoftext|>'],
  pad_token: ['[PAD]', '<pad>'],
  mask_token: ['[MASK]', '<mask>'],
};
type SpecialTokensByCustom = Partial<Record<keyof SpecialTokens, readonly string[]>>;

/**
 * The special tokens of a tokenizer: those that tokenizer_config.json names (null for none), and for roles of which it
 * says nothing those that models customarily have, where they are among `added`, the added tokens of tokenizer.json.
 */
export function specialTokens(
  tokenizerConfig: Readonly<Record<string, unknown>>,
  added: readonly string[],
): SpecialTokens {
  const tokens: SpecialTokens = {};
  for (const role of ROLES) {
    const token =
      role in tokenizerConfig
        ? contentOf(tokenizerConfig[role])
        : BY_CLASS[role]?.find((customary) => added.includes(customary));
    if (token !== undefined) tokens[role] = token;
  }
  return tokens;
}

/** Tokens stand in tokenizer_config.json as strings or as objects with `content`. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const { content } = (token ?? {}) as { content?: unknown };
  return typeof content === 'string' ? content : undefined;
}
