import { type AlignedText, Changes } from './aligned-text.ts';
import { CHARACTER_CLASSES } from './character-classes.ts';
import { lowercased } from './normalizer.ts';
import type { BertNormalizerConfig } from './tokenizer-json.ts';
import { unicodeNormalized } from './unicode-normalizer.ts';

/** The ideographs that BERT treats as words, as the Rust library lists them. */
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/u;

/** Characters to remove: control characters, except those that are newer than the Rust library's tables. */
const DROPPED = /[\ufffd\p{Cc}\p{Cf}\p{Co}]/u;
const KEPT = /[\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}]/u;

const ACCENT = new RegExp(CHARACTER_CLASSES.nonspacing, 'u');

const PLAIN = /^[\x20-\x7e]*$/;

/** Removes control characters, puts spaces around ideographs, lowercases and removes accents, as configured. */
export function bertNormalized(text: AlignedText, config: BertNormalizerConfig): AlignedText {
  if (PLAIN.test(text.text)) return config.lowercase ? lowercased(text) : text;
  if (config.clean_text) text = cleaned(text);
  if (config.handle_chinese_chars) text = spaced(text);
  if (config.strip_accents ?? config.lowercase)
    text = unicodeNormalized(text, 'NFD').filter((character) => !ACCENT.test(character));
  return config.lowercase ? lowercased(text) : text;
}

function cleaned(text: AlignedText): AlignedText {
  const kept = text.filter((character) => !DROPPED.test(character) || KEPT.test(character));
  return kept.withText(kept.text.replace(/\p{White_Space}/gu, ' '));
}

function spaced(text: AlignedText): AlignedText {
  if (!IDEOGRAPH.test(text.text)) return text;
  const changes = new Changes();
  for (const character of text.text) {
    if (!IDEOGRAPH.test(character)) changes.add(character, 0);
    else changes.replace(character, ` ${character} `);
  }
  return text.transform(changes);
}

/**
 * Merges settings of tokenizer_config.json into the section. As in transformers, they override those of tokenizer.json.
 */
export function withTokenizerConfig(
  config: BertNormalizerConfig,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): BertNormalizerConfig {
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = tokenizerConfig;
  const setting = <T>(value: unknown, otherwise: T) => (typeof value === 'boolean' ? value : otherwise);
  return {
    ...config,
    lowercase: setting(do_lower_case, config.lowercase),
    strip_accents: setting(strip_accents, config.strip_accents),
    handle_chinese_chars: setting(tokenize_chinese_chars, config.handle_chinese_chars),
  };
}
