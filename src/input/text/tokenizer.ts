import { z } from 'zod';
import { lazy } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import { findCut, longestFirst } from './cut-text.ts';
import { type Encoding, NO_SEQUENCE, type OffsetsEncoding } from './encoding.ts';
import { checkPiece, Piecewise } from './piecewise.ts';
import { type SpecialTokens, specialTokens } from './special-tokens.ts';
import { type TextToken, trimSpaces } from './steps/aligned-text.ts';
import { BYTE, cleanedUp, decodeBytes, decoder } from './steps/decoder.ts';
import { withTokenizerConfig } from './steps/normalizer.ts';
import { Pipeline } from './steps/pipeline.ts';
import { type PostProcessor, postProcessor, type Slot } from './steps/post-processor.ts';
import { type TokenizerJson, tokenizerJson } from './steps/tokenizer-json.ts';
import { TokenBuffer } from './token-sequences.ts';

export interface TokenizerOptions {
  /** The model's `type_vocab_size`. With 1 or 0, all type ids are 0. */
  typeVocabSize: number;
  /** The model's `vocab_size`: ids must be below it. By default, there is no limit. */
  vocabSize?: number;
}

/**
 * Converts text to token ids and back, with the same result as transformers' fast tokenizers. It ignores the truncation
 * and padding sections of tokenizer.json: the caller passes the length, and `collate` pads batches.
 */
export class TextTokenizer {
  /**
   * The id that pads the shorter rows of a batch. Without a padding token it is 0, because padding is masked anyway.
   */
  readonly padId: number;
  /** `model_max_length` of tokenizer_config.json. Infinite or 1e30 if it was never set. */
  readonly modelMaxLength: number;
  /** One more than the largest token id. */
  readonly vocabSize: number;
  /** The special tokens by role, as text. */
  readonly specialTokens: SpecialTokens;
  /** Ids of special tokens, which decoding omits. */
  readonly specialIds: ReadonlySet<number>;

  readonly #pipeline: Pipeline;
  readonly #post: PostProcessor;
  readonly #decode: (tokens: string[]) => string;
  readonly #json: TokenizerJson;
  readonly #config: object;
  readonly #options: TokenizerOptions;
  readonly #cleansUp: boolean;
  readonly #single: Slot[];
  readonly #pair: Slot[];
  /** Created on first use, because it scans the whole vocabulary. */
  #piecewise: Piecewise | undefined;

  /**
   * @param tokenizerJson content of tokenizer.json
   * @param tokenizerConfig content of tokenizer_config.json
   * @throws Error for a tokenizer that cannot be built, or with ids or token types that the model lacks
   */
  constructor(tokenizerJson: object, tokenizerConfig: object, options: TokenizerOptions) {
    const config = tokenizerConfig as Record<string, unknown>;
    const json = read(tokenizerJson);
    if (json.normalizer?.type === 'BertNormalizer')
      json.normalizer = withTokenizerConfig(json.normalizer, config);
    this.#json = json;
    this.#config = tokenizerConfig;
    this.#options = options;
    this.#pipeline = new Pipeline(json);
    this.#post = postProcessor(json.post_processor ?? null, this.#pipeline.vocabulary);
    this.#decode = decoder(json.decoder, json.added_tokens);

    checkIds(this.#pipeline.vocabulary.tokens, this.#post, options);
    const withTypes = (slot: Slot) => ({ ...slot, type: options.typeVocabSize > 1 ? slot.type : 0 });
    this.#single = this.#post.single.map(withTypes);
    this.#pair = this.#post.pair.map(withTypes);
    const added = json.added_tokens;
    this.specialTokens = specialTokens(
      config,
      added.map(({ content }) => content),
    );
    this.specialIds = new Set([
      ...added.filter(({ special }) => special).map(({ id }) => id),
      ...Object.values(this.specialTokens).flatMap((token) => this.#pipeline.vocabulary.idOf(token) ?? []),
    ]);
    this.padId = this.idOf('pad_token') ?? 0;
    this.vocabSize = this.#pipeline.vocabulary.tokens.length;
    // As in transformers: off by default, and always off for BPE.
    this.#cleansUp = config.clean_up_tokenization_spaces === true && json.model.type !== 'BPE';
    this.modelMaxLength = typeof config.model_max_length === 'number' ? config.model_max_length : Infinity;
  }

  /** The id of the token with a role. Undefined if there is none. */
  idOf(role: keyof SpecialTokens): number | undefined {
    const token = this.specialTokens[role];
    return token === undefined ? undefined : this.#pipeline.vocabulary.idOf(token);
  }

  /**
   * Encodes one text, or a pair, with special tokens and at most `maxLength` tokens in total. A single text is truncated
   * at its end, a pair as in transformers' `longest_first`.
   *
   * @throws UserError if `maxLength` leaves no room besides the special tokens
   */
  encode(text: string, textPair: string | undefined, maxLength: number): Encoding {
    const isPair = textPair !== undefined;
    const slots = isPair ? this.#pair : this.#single;
    const texts = isPair ? 2 : 1;
    const special = slots.length - texts;
    const budget = maxLength - special;
    if (budget < texts) throw noRoom(special, texts, maxLength);
    // The truncation of a pair depends on both full lengths. For a single text, the first tokens are enough.
    const a = this.#tokenize(text, isPair ? Infinity : budget);
    const b = isPair ? this.#tokenize(textPair, Infinity) : new TokenBuffer();
    const [keepA, keepB] = isPair
      ? longestFirst(a.length, b.length, budget)
      : [Math.min(a.length, budget), 0];

    const length = special + keepA + keepB;
    const inputIds = new Int32Array(length);
    const tokenTypeIds = new Int32Array(length);
    let at = 0;
    for (const { token, type } of slots) {
      const start = at;
      if (typeof token === 'number') inputIds[at++] = token;
      else {
        const ids = token === 'A' ? a.slice(0, keepA) : b.slice(0, keepB);
        inputIds.set(ids, at);
        at += ids.length;
      }
      if (type !== 0) tokenTypeIds.fill(type, start, at);
    }
    return { inputIds, tokenTypeIds, truncated: keepA + keepB < a.length + b.length };
  }

  /**
   * Encodes one text, or a pair, in full with special tokens. Also returns the tokens themselves and the code points
   * that they represent, as transformers' `return_offsets_mapping`. Characters that normalization drops have no token.
   * If several tokens contain bytes of one character, each represents it. To truncate, cut tokens with `sequenceIds` 0
   * and 1.
   */
  encodeWithOffsets(text: string, textPair?: string): OffsetsEncoding {
    const texts = { A: this.tokens(text), B: textPair === undefined ? [] : this.tokens(textPair) };
    const slots = textPair === undefined ? this.#single : this.#pair;
    const { tokens: vocabulary } = this.#pipeline.vocabulary;
    const all = slots.flatMap(({ token, type }) =>
      typeof token === 'number'
        ? [{ id: token, token: vocabulary[token] ?? '', start: 0, end: 0, type, sequence: NO_SEQUENCE }]
        : texts[token].map((each) => ({ ...each, type, sequence: token === 'A' ? 0 : 1 })),
    );
    return {
      inputIds: Int32Array.from(all, ({ id }) => id),
      tokenTypeIds: Int32Array.from(all, ({ type }) => type),
      truncated: false,
      tokens: all.map(({ token }) => token),
      starts: Int32Array.from(all, ({ start }) => start),
      ends: Int32Array.from(all, ({ end }) => end),
      sequenceIds: Int32Array.from(all, ({ sequence }) => sequence),
    };
  }

  /** The tokens of a text without special tokens, with the code points that they represent. */
  tokens(text: string): TextToken[] {
    checkPiece(text);
    const tokens = this.#pipeline.tokens(text);
    return this.#post.trim ? trimSpaces(tokens, this.#post.trim) : tokens;
  }

  /**
   * All ids of a text of any length, without added special tokens. Special tokens in the text itself are recognized.
   *
   * @param onProgress called from time to time with the number of processed characters
   */
  ids(text: string, onProgress?: (characters: number) => void): Int32Array {
    return this.#tokenize(text, Infinity, onProgress).slice();
  }

  /**
   * Returns this tokenizer for words that are encoded separately. Tokenizers like GPT-2's (also BART's and RoBERTa's)
   * mark the start of a word by a space. So a space is put before each word, as transformers does with
   * `add_prefix_space=True`. A pipeline of several pre-tokenizers does not change, as in transformers.
   */
  forWords(): TextTokenizer {
    const { pre_tokenizer } = this.#json;
    if (pre_tokenizer?.type !== 'ByteLevel' || pre_tokenizer.add_prefix_space === true) return this;
    const json = { ...this.#json, pre_tokenizer: { ...pre_tokenizer, add_prefix_space: true } };
    return new TextTokenizer(json, this.#config, this.#options);
  }

  /** The ids that the tokenizer adds before and after a single text. */
  frame(): { before: Int32Array; after: Int32Array } {
    const at = this.#single.findIndex(({ token }) => token === 'A');
    const ids = (slots: Slot[]) => Int32Array.from(slots, ({ token }) => token as number);
    return { before: ids(this.#single.slice(0, at)), after: ids(this.#single.slice(at + 1)) };
  }

  /** Decodes ids as transformers' `decode` does. Special tokens are omitted unless `special` is set. */
  decode(ids: ArrayLike<number>, { special = false }: { special?: boolean } = {}): string {
    const kept = Array.from(ids).filter((id) => special || !this.specialIds.has(id));
    if (kept.length === 0) return '';
    const { tokens } = this.#pipeline.vocabulary;
    const text = this.#decode(kept.map((id) => tokens[id] ?? ''));
    return this.#cleansUp ? cleanedUp(text) : text;
  }

  /** The bytes that each token adds to a text. Undefined for special tokens. */
  readonly tokenBytes = lazy((): readonly (Uint8Array | undefined)[] => {
    const { decoder: steps } = this.#json;
    const { tokens } = this.#pipeline.vocabulary;
    const added = new Set(this.#json.added_tokens.map(({ content }) => content));
    const isBytes = JSON.stringify(steps ?? null).includes('"ByteLevel"');
    // After another token, a token's text has its space.
    const before = Math.max(0, tokens.indexOf('a'));
    const start = this.decode([before]).length;
    return tokens.map((token, id) => {
      if (token === undefined || this.specialIds.has(id)) return undefined;
      if (isBytes && !added.has(token)) return Uint8Array.from(decodeBytes(token));
      if (BYTE.test(token)) return Uint8Array.of(Number(token.slice(1, 5)));
      return new TextEncoder().encode(this.decode([before, id]).slice(start));
    });
  });

  /** Returns 1 for ids of tokens that begin a word, otherwise 0. See {@link wordStarts}. */
  wordStarts(): Uint8Array {
    return wordStarts(this.#json, this.#pipeline.vocabulary.tokens, this.specialIds);
  }

  /** The token ids of a text: all of them, or more than `enough`. */
  #tokenize(text: string, enough: number, onProgress?: (characters: number) => void): TokenBuffer {
    const whole = (piece: string) => this.#pipeline.tokens(piece).map(({ id }) => id);
    this.#piecewise ??= new Piecewise(whole, findCut(this.#json, whole, this.#pipeline.vocabulary.tokens));
    return this.#piecewise.ids(text, enough, onProgress);
  }
}

/**
 * Parses the content of a tokenizer.json.
 *
 * @throws Error that names the problem
 */
function read(content: object): TokenizerJson {
  const { success, data, error } = tokenizerJson.safeParse(content);
  if (success) return data;
  throw new Error(z.prettifyError(error).replaceAll(/\s+/g, ' '));
}

/**
 * Checks that the model has all ids. Larger ids would read beyond the model's tables, and negative numbers would count
 * from their end.
 */
function checkIds(
  tokens: readonly (string | undefined)[],
  { single, pair }: PostProcessor,
  { vocabSize = Infinity, typeVocabSize }: TokenizerOptions,
): void {
  if (tokens.length > vocabSize) {
    const id = tokens.findIndex((token, id) => id >= vocabSize && token !== undefined);
    throw new Error(
      `${JSON.stringify(tokens[id])} has the id ${id}, but vocab_size in the model's config.json is ${vocabSize}; they do not belong together`,
    );
  }
  const type = [...single, ...pair].find((slot) => typeVocabSize > 1 && slot.type >= typeVocabSize)?.type;
  if (type !== undefined)
    throw new Error(`the template has the type ${type}, but the model's type_vocab_size is ${typeVocabSize}`);
}

/** The error for a maximum length that leaves no token for each text besides the special ones. */
export function noRoom(special: number, texts: number, maxLength: number, key = 'max_length'): UserError {
  return new UserError({
    where: `data.${key}`,
    fault: `must be at least ${special + texts}, because ${special} tokens are special, got ${maxLength}`,
    code: 'invalid_config',
  });
}

/**
 * For every id of a vocabulary, 1 if the token begins a word, otherwise 0. WordPiece marks tokens inside words by `##`.
 * Other models mark word starts by the space or line end before them (`Ġ`, `▁`). Each special token counts as a word.
 */
function wordStarts(
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
