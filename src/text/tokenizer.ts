import { z } from 'zod';
import { UserError } from '../support/user-error.ts';
import { checkPiece } from './check-piece.ts';
import { findCut } from './find-cut.ts';
import { longestFirst } from './longest-first.ts';
import { Piecewise } from './piecewise.ts';
import { type SpecialTokens, specialTokens } from './special-tokens.ts';
import { withTokenizerConfig } from './steps/bert-normalizer.ts';
import { decoder } from './steps/decoder.ts';
import { type Limited, Pipeline, type TextToken } from './steps/pipeline.ts';
import { type PostProcessor, postProcessor, type Slot } from './steps/post-processor.ts';
import { type TokenizerJson, tokenizerJson } from './steps/tokenizer-json.ts';
import { trimSpaces } from './steps/trim-spaces.ts';
import { TokenBuffer } from './token-buffer.ts';
import { wordStarts } from './word-starts.ts';

/** One input of a model, without padding. */
export interface Encoding {
  /** [length] */
  inputIds: Int32Array;
  /** [length]; 0 for the first text, 1 for the second where the model tells them apart. */
  tokenTypeIds: Int32Array;
  /** Whether tokens were cut off. */
  truncated: boolean;
}

/** An input of a model with what its tokens stand for, as transformers' `return_offsets_mapping` tells it. */
export interface OffsetsEncoding extends Encoding {
  /** [length]; as the Rust library shows them: pieces of the vocabulary, or the text itself where it is unknown. */
  tokens: string[];
  /** [length]; the first code point of its text that a token stands for, 0 for special tokens. */
  starts: Int32Array;
  /** [length]; the one after the last, 0 for special tokens. Code points, as in Python: an emoji is one or more. */
  ends: Int32Array;
  /** [length]; 0 for tokens of the first text, 1 for those of the second, {@link NO_SEQUENCE} for special tokens. */
  sequenceIds: Int32Array;
}

/** The text that special tokens belong to. */
export const NO_SEQUENCE = -1;

export interface TokenizerOptions {
  /** The model's `type_vocab_size`; with 1, or 0, all type ids are 0. */
  typeVocabSize: number;
  /** The model's `vocab_size`, which ids stay below; any by default. */
  vocabSize?: number;
  /** Does what may take for ever, as a pattern may over a long text, and ends it; by default nothing is ended. */
  limited?: Limited;
}

/**
 * Text to token ids and back, equal to transformers' fast tokenizers. Truncation and padding sections of tokenizer.json
 * are not applied: the caller gives the length, and batches are padded by `collate`.
 */
export class TextTokenizer {
  /** The id that fills a batch's shorter rows; 0 where the tokenizer has no padding token (they are masked anyway). */
  readonly padId: number;
  /** `model_max_length` of tokenizer_config.json; infinite or 1e30 where nobody set it. */
  readonly modelMaxLength: number;
  /** Ids that tokens may have: one more than the largest. */
  readonly vocabSize: number;
  /** Which tokens begin, end, pad and mask, as text. */
  readonly specialTokens: SpecialTokens;
  /** Ids of tokens that stand for no text. */
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
  /** Made when it is first needed: it takes a look at the whole vocabulary. */
  #piecewise: Piecewise | undefined;

  /**
   * @param tokenizerJson content of tokenizer.json
   * @param tokenizerConfig content of tokenizer_config.json
   * @throws Error for a tokenizer that cannot be built, or has ids or types of tokens that the model has not
   */
  constructor(tokenizerJson: object, tokenizerConfig: object, options: TokenizerOptions) {
    const config = tokenizerConfig as Record<string, unknown>;
    const json = read(tokenizerJson);
    if (json.normalizer?.type === 'BertNormalizer')
      json.normalizer = withTokenizerConfig(json.normalizer, config);
    this.#json = json;
    this.#config = tokenizerConfig;
    this.#options = options;
    this.#pipeline = new Pipeline(json, options.limited);
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
    // As in transformers, which cleans up nothing by default, and BPE never.
    this.#cleansUp = config.clean_up_tokenization_spaces === true && json.model.type !== 'BPE';
    this.modelMaxLength = typeof config.model_max_length === 'number' ? config.model_max_length : Infinity;
  }

  /** The id of the token with a role; undefined where there is none. */
  idOf(role: keyof SpecialTokens): number | undefined {
    const token = this.specialTokens[role];
    return token === undefined ? undefined : this.#pipeline.vocabulary.idOf(token);
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
    if (budget < texts) throw noRoom(special, texts, maxLength);
    // How a pair is cut depends on both full lengths; of a single text the first tokens are enough.
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
   * One text, or a pair, with special tokens, whole: with the tokens themselves and which code points of their text they
   * stand for, equal to transformers' `return_offsets_mapping`. Characters that normalization drops belong to no token,
   * tokens of one character's bytes all stand for it. A caller that needs less than the whole cuts `sequenceIds` 0 and 1.
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

  /** The tokens of a text without special tokens around it, with which of its code points they stand for. */
  tokens(text: string): TextToken[] {
    checkPiece(text);
    const tokens = this.#pipeline.tokens(text);
    return this.#post.trim ? trimSpaces(tokens, this.#post.trim) : tokens;
  }

  /**
   * All ids of a text of any length, without special tokens around it; special tokens written out in it are read as
   * such.
   *
   * @param onProgress told now and then how many characters are done
   */
  ids(text: string, onProgress?: (characters: number) => void): Int32Array {
    return this.#tokenize(text, Infinity, onProgress).slice();
  }

  /**
   * The same tokenizer for words that come one by one. GPT-2's kind (BART, RoBERTa, too) has pieces with a space before
   * them that begin words, so it puts one before each word, as transformers does with `add_prefix_space=True`. A pipeline
   * of several pre-tokenizers is left as it is, there and here.
   */
  forWords(): TextTokenizer {
    const { pre_tokenizer } = this.#json;
    if (pre_tokenizer?.type !== 'ByteLevel' || pre_tokenizer.add_prefix_space === true) return this;
    const json = { ...this.#json, pre_tokenizer: { ...pre_tokenizer, add_prefix_space: true } };
    return new TextTokenizer(json, this.#config, this.#options);
  }

  /** What the tokenizer puts before and after a single text. */
  frame(): { before: Int32Array; after: Int32Array } {
    const at = this.#single.findIndex(({ token }) => token === 'A');
    const ids = (slots: Slot[]) => Int32Array.from(slots, ({ token }) => token as number);
    return { before: ids(this.#single.slice(0, at)), after: ids(this.#single.slice(at + 1)) };
  }

  /** The text of ids, as transformers' `decode` gives it; without special tokens unless they are wanted. */
  decode(ids: ArrayLike<number>, { special = false }: { special?: boolean } = {}): string {
    const kept = Array.from(ids).filter((id) => special || !this.specialIds.has(id));
    if (kept.length === 0) return '';
    const { tokens } = this.#pipeline.vocabulary;
    const text = this.#decode(kept.map((id) => tokens[id] ?? ''));
    return this.#cleansUp ? cleanedUp(text) : text;
  }

  /** By id 1 for tokens that begin a word: see {@link wordStarts}. */
  wordStarts(): Uint8Array {
    return wordStarts(this.#json, this.#pipeline.vocabulary.tokens, this.specialIds);
  }

  /** The token ids of a text: all, or more than `enough` of them. */
  #tokenize(text: string, enough: number, onProgress?: (characters: number) => void): TokenBuffer {
    const whole = (piece: string) => this.#pipeline.tokens(piece).map(({ id }) => id);
    this.#piecewise ??= new Piecewise(whole, findCut(this.#json, whole, this.#pipeline.vocabulary.tokens));
    return this.#piecewise.ids(text, enough, onProgress);
  }
}

/** The content of a tokenizer.json. Throws an Error that names what is wrong with it. */
function read(content: object): TokenizerJson {
  const { success, data, error } = tokenizerJson.safeParse(content);
  if (success) return data;
  throw new Error(z.prettifyError(error).replaceAll(/\s+/g, ' '));
}

/** The engine would look beyond the rows of the model's tables, of which negative numbers count from the end. */
function checkIds(
  tokens: readonly (string | undefined)[],
  { single, pair }: PostProcessor,
  { vocabSize = Infinity, typeVocabSize }: TokenizerOptions,
): void {
  if (tokens.length > vocabSize) {
    const id = tokens.findIndex((token, id) => id >= vocabSize && token !== undefined);
    throw new Error(
      `${JSON.stringify(tokens[id])} has the id ${id}, where the model's config.json has a vocab_size of ${vocabSize}: they do not belong together`,
    );
  }
  const type = [...single, ...pair].find((slot) => typeVocabSize > 1 && slot.type >= typeVocabSize)?.type;
  if (type !== undefined)
    throw new Error(
      `the template has the type ${type}, where the model's type_vocab_size is ${typeVocabSize}`,
    );
}

/** English punctuation without the spaces before it, as in transformers. */
function cleanedUp(text: string): string {
  return text
    .replace(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replace(/ (n't|'m|'s|'ve|'re)/g, '$1');
}

function noRoom(special: number, texts: number, maxLength: number): UserError {
  const expected = `at least ${special + texts}, as ${special} tokens are special`;
  return new UserError({ where: 'data.max_length', expected, got: String(maxLength) });
}
