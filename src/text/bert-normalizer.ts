/** The `BertNormalizer` section of a tokenizer.json. */
export interface BertNormalizerConfig {
  type: 'BertNormalizer';
  lowercase?: boolean;
  strip_accents?: boolean | null;
  handle_chinese_chars?: boolean;
}

/** The ideographs outside the basic plane that BERT separates, as the Rust library lists them. */
const ASTRAL_IDEOGRAPH =
  /[\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/**
 * Puts a short way for ASCII before `normalize`, which takes most of the time of tokenizing, and mends where it differs
 * from the Rust library: ideographs outside the basic plane are words, and a capital sigma at a word's end becomes a
 * plain sigma (JavaScript makes it a final one).
 */
export function bertNormalizer(config: BertNormalizerConfig, normalize: (text: string) => string) {
  return (text: string): string => {
    if (/^[\x20-\x7e]*$/.test(text)) return config.lowercase ? text.toLowerCase() : text;
    if (config.handle_chinese_chars) text = text.replace(ASTRAL_IDEOGRAPH, ' $& ');
    if (config.lowercase) text = text.replaceAll('Σ', 'σ');
    return normalize(text);
  };
}

/** The section with the settings of tokenizer_config.json, which transformers puts above those of tokenizer.json. */
export function withTokenizerConfig(
  config: BertNormalizerConfig,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): BertNormalizerConfig {
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = tokenizerConfig;
  const setting = (value: unknown, otherwise: boolean | null | undefined) =>
    typeof value === 'boolean' ? value : otherwise;
  return {
    ...config,
    lowercase: setting(do_lower_case, config.lowercase) ?? undefined,
    strip_accents: setting(strip_accents, config.strip_accents),
    handle_chinese_chars: setting(tokenize_chinese_chars, config.handle_chinese_chars) ?? undefined,
  };
}
