import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../support/user-error.ts';
import { type BertNormalizerConfig, bertNormalizer, withTokenizerConfig } from './bert-normalizer.ts';
import { longestFirst } from './longest-first.ts';
import { readTemplate, type Slot } from './template.ts';

/** One input of a model, without padding. */
export interface Encoding {
  /** [length] */
  inputIds: Int32Array;
  /** [length]; 0 for the first text, 1 for the second where the model tells them apart. */
  tokenTypeIds: Int32Array;
  /** Whether tokens were cut off. */
  truncated: boolean;
}

/** Words remembered: some 20 MB, and more than English has in use. */
const MAX_CACHED_WORDS = 100_000;
/** Longer words are rare, and remembering them would keep large inputs in memory. */
const MAX_CACHED_WORD_LENGTH = 64;

/** The parts of tokenizer.json read here; the rest is for the library. */
interface TokenizerJson {
  normalizer?: { type?: string } | null;
  pre_tokenizer?: { type?: string } | null;
  model?: { type?: string };
  added_tokens?: { content: string }[];
}

/**
 * Text to token ids, equal to transformers' fast tokenizers. Truncation and padding sections of tokenizer.json are not
 * applied: the caller gives the length, and batches are padded by `collate`.
 */
export class TextTokenizer {
  /** The id that fills a batch's shorter rows; 0 where the tokenizer has no padding token (they are masked anyway). */
  readonly padId: number;
  /** `model_max_length` of tokenizer_config.json; infinite or 1e30 where nobody set it. */
  readonly modelMaxLength: number;

  readonly #tokenizer: Tokenizer;
  readonly #single: Slot[];
  readonly #pair: Slot[];
  readonly #isWordwise: boolean;
  readonly #words = new Map<string, readonly number[]>();

  /**
   * @param tokenizerJson content of tokenizer.json
   * @param tokenizerConfig content of tokenizer_config.json
   * @param options.typeVocabSize the model's `type_vocab_size`; with 1, or 0, all type ids are 0
   * @throws Error for a tokenizer the library cannot build
   */
  constructor(tokenizerJson: object, tokenizerConfig: object, options: { typeVocabSize: number }) {
    const json = tokenizerJson as TokenizerJson;
    const config = tokenizerConfig as Record<string, unknown>;
    const isBert = json.normalizer?.type === 'BertNormalizer';
    const normalizer = isBert
      ? withTokenizerConfig(json.normalizer as BertNormalizerConfig, config)
      : json.normalizer;
    this.#tokenizer = new Tokenizer({ ...json, normalizer }, config);
    if (isBert) {
      // The library calls its normalizer as a function, though it types it as an object.
      const library = this.#tokenizer.normalizer as unknown as (text: string) => string;
      const shortcut = bertNormalizer(normalizer as BertNormalizerConfig, library);
      this.#tokenizer.normalizer = shortcut as unknown as Tokenizer['normalizer'];
    }
    // BERT's steps never look beyond white space or an ideograph, so words can be tokenized one by one.
    this.#isWordwise =
      isBert &&
      json.pre_tokenizer?.type === 'BertPreTokenizer' &&
      json.model?.type === 'WordPiece' &&
      (normalizer as BertNormalizerConfig).handle_chinese_chars === true &&
      !json.added_tokens?.some(({ content }) => /[\s\u4e00-\u9fff]/.test(content));

    const withTypes = (slot: Slot) => ({ ...slot, type: options.typeVocabSize > 1 ? slot.type : 0 });
    this.#single = readTemplate(this.#tokenizer, false).map(withTypes);
    this.#pair = readTemplate(this.#tokenizer, true).map(withTypes);
    this.padId = this.#tokenizer.token_to_id(tokenContent(config.pad_token)) ?? 0;
    this.modelMaxLength = typeof config.model_max_length === 'number' ? config.model_max_length : Infinity;
  }

  /**
   * One text, or a pair, with special tokens and at most `maxLength` tokens in all. A single text is cut at its end, a
   * pair as transformers' `longest_first` does.
   *
   * @throws UserError when `maxLength` leaves no room beside the special tokens.
   */
  encode(text: string, textPair: string | undefined, maxLength: number): Encoding {
    const isPair = textPair !== undefined;
    const slots = isPair ? this.#pair : this.#single;
    const texts = isPair ? 2 : 1;
    const special = slots.length - texts;
    const budget = maxLength - special;
    if (budget < texts) {
      const expected = `at least ${special + texts}, as ${special} tokens are special`;
      throw new UserError({ where: 'data.max_length', expected, got: String(maxLength) });
    }
    // How a pair is cut depends on both full lengths; of a single text the first tokens are enough.
    const a = this.#tokenize(text, isPair ? Infinity : budget);
    const b = isPair ? this.#tokenize(textPair, Infinity) : [];
    const [keepA, keepB] = isPair
      ? longestFirst(a.length, b.length, budget)
      : [Math.min(a.length, budget), 0];

    const length = special + keepA + keepB;
    const inputIds = new Int32Array(length);
    const tokenTypeIds = new Int32Array(length);
    let at = 0;
    for (const { token, type } of slots) {
      const start = at;
      if (token === 'A') for (let i = 0; i < keepA; i++) inputIds[at++] = a[i];
      else if (token === 'B') for (let i = 0; i < keepB; i++) inputIds[at++] = b[i];
      else inputIds[at++] = token;
      if (type !== 0) tokenTypeIds.fill(type, start, at);
    }
    return { inputIds, tokenTypeIds, truncated: keepA + keepB < a.length + b.length };
  }

  /** All token ids of a text, or more than `enough` of them. */
  #tokenize(text: string, enough: number): readonly number[] {
    if (!this.#isWordwise) return this.#ids(text);
    const ids: number[] = [];
    for (let start = 0; start < text.length && ids.length <= enough; ) {
      const end = wordEnd(text, start);
      if (!isSpace(text.charCodeAt(start))) {
        for (const id of this.#wordIds(text.slice(start, end))) ids.push(id);
      }
      start = end;
    }
    return ids;
  }

  #wordIds(word: string): readonly number[] {
    const known = this.#words.get(word);
    if (known) return known;
    const ids = this.#ids(word);
    if (word.length <= MAX_CACHED_WORD_LENGTH) {
      if (this.#words.size >= MAX_CACHED_WORDS) this.#words.clear();
      this.#words.set(word, ids);
    }
    return ids;
  }

  #ids(text: string): readonly number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }
}

/** The end of the word at `start`, where a space or an ideograph counts as one. */
function wordEnd(text: string, start: number): number {
  if (isBreak(text.charCodeAt(start))) return start + 1;
  let end = start + 1;
  while (end < text.length && !isBreak(text.charCodeAt(end))) end++;
  return end;
}

function isBreak(code: number): boolean {
  return isSpace(code) || (code >= 0x4e00 && code <= 0x9fff);
}

/** Other white space stays in its word, for the tokenizer to split. */
function isSpace(code: number): boolean {
  return code === 32 || (code <= 13 && (code === 9 || code === 10 || code === 13));
}

/** Special tokens stand in tokenizer_config.json as strings or as objects with `content`. */
function tokenContent(token: unknown): string {
  if (typeof token === 'string') return token;
  return String((token as { content?: unknown } | undefined)?.content ?? '');
}
