/** The roles of special tokens in transformers, by their names in tokenizer_config.json. */
export const ROLES = [
  ...(['bos_token', 'eos_token', 'unk_token', 'sep_token'] as const),
  ...(['pad_token', 'cls_token', 'mask_token'] as const),
];

export type Role = (typeof ROLES)[number];

/** Special tokens by role, as text. */
export type SpecialTokens = Partial<Record<Role, string>>;

/**
 * The usual tokens for roles that an old tokenizer_config.json does not set, such as those of GPT-2, BERT and RoBERTa
 * on the Hub. In transformers, the tokenizer's class sets them.
 */
const BY_CLASS: SpecialTokensByCustom = {
  bos_token: ['<s>', '<|endoftext|>'],
  eos_token: ['</s>', '<|endoftext|>'],
  pad_token: ['[PAD]', '<pad>'],
  mask_token: ['[MASK]', '<mask>'],
};
type SpecialTokensByCustom = Partial<Record<keyof SpecialTokens, readonly string[]>>;

/**
 * The special tokens of a tokenizer: those in tokenizer_config.json, where null means no token. A missing role gets its
 * usual token if that is in `added`, the added tokens of tokenizer.json.
 */
export function specialTokens(
  tokenizerConfig: Readonly<Record<string, unknown>>,
  added: readonly string[],
): SpecialTokens {
  const tokens: SpecialTokens = {};
  for (const role of ROLES) {
    const token =
      role in tokenizerConfig
        ? readContent(tokenizerConfig[role])
        : BY_CLASS[role]?.find((customary) => added.includes(customary));
    if (token !== undefined) tokens[role] = token;
  }
  return tokens;
}

/** The text of a token in tokenizer_config.json: a string, or an object with `content`. */
function readContent(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const { content } = (token ?? {}) as { content?: unknown };
  return typeof content === 'string' ? content : undefined;
}
