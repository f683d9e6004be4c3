import type { Tensors } from '../../engine/runtime/session.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { mediumNamed } from '../../input/media/media.ts';
import { type Batch, collate } from '../../input/text/batches.ts';
import {
  type ChatMessage,
  type ChatTemplate,
  type ChatTools,
  conversationIds,
} from '../../input/text/chat/chat-template.ts';
import { begun, documentIds, followedIds, promptIds } from '../../input/text/document-ids.ts';
import { type WordsEncoding, wordEncoder } from '../../input/text/encode-words.ts';
import type { Encoding, OffsetsEncoding } from '../../input/text/encoding.ts';
import { allLearnt, type LearntIds } from '../../input/text/learnt-ids.ts';
import { TextStream } from '../../input/text/text-stream.ts';
import { noRoom, type TextTokenizer } from '../../input/text/tokenizer.ts';
import { concatenated } from '../../support/arrays.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { MaskingVocabulary } from '../objectives/mask-tokens.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import { InputSet } from './input-set.ts';
import type { BatchForm, EncodedRows, Modality, Part, PartRow, RowInputs } from './modality.ts';

/** Distinct texts, each tokenized once. */
class TextSet extends InputSet<string> {
  readonly lengths: Int32Array;
  readonly truncated: number;
  readonly #encodings: readonly Encoding[];
  readonly #texts: Texts;
  readonly #numbers: ReadonlyMap<string, number>;

  /** @param encodings of the distinct texts */
  constructor(distinct: readonly string[], encodings: readonly Encoding[], texts: Texts) {
    super();
    this.#numbers = new Map(distinct.map((text, number) => [text, number]));
    this.#encodings = encodings;
    this.#texts = texts;
    this.lengths = Int32Array.from(encodings, ({ inputIds }) => inputIds.length);
    this.truncated = encodings.filter(({ truncated }) => truncated).length;
  }

  override numberOf(text: string): number {
    return this.#numbers.get(text) as number;
  }

  override feeds(numbers: readonly number[]) {
    return this.#texts.feeds(numbers.map((number) => this.#encodings[number]!));
  }
}

interface TextParts {
  tokenizer: TextTokenizer;
  /** Maximum number of tokens of an example. */
  maxLength: number;
  /** Number of tokens in the model's vocabulary. It may be larger than the tokenizer's. */
  vocabSize: number;
  /** @throws UserError if the model's folder has no chat template */
  chatTemplate(now?: Date): Pick<ChatTemplate, 'render'>;
}

export interface TextRow extends RowInputs {
  encoding: Encoding;
}

/**
 * Texts as a model reads them: their tokens, the chat template, and the limits of the model. Tasks on texts use its
 * methods for documents, prompts, conversations and words.
 */
export class Texts implements Modality<string> {
  readonly reads = 'text';
  readonly maxLength: number;
  readonly vocabSize: number;
  readonly #parts: TextParts;
  readonly #tokenizer: TextTokenizer;
  readonly #now: Date | undefined;

  constructor(parts: TextParts, now?: Date) {
    this.#parts = parts;
    this.#tokenizer = parts.tokenizer;
    this.#now = now;
    this.maxLength = parts.maxLength;
    this.vocabSize = parts.vocabSize;
  }

  at(now: Date | undefined): Texts {
    return new Texts(this.#parts, now);
  }

  async withContent<File extends TextFile>(files: readonly File[], columns: readonly (string | number)[]) {
    for (const { name: where, contentColumns = {} } of files)
      for (const [column, name] of Object.entries(contentColumns)) {
        const medium = mediumNamed(name);
        const isRead = columns.length > 0 ? columns.includes(column) : column === name;
        if (!medium || !isRead) continue;
        const { kind, examples } = medium.models;
        throw new InvalidData({
          where,
          fault: `has ${medium.plural}, but the model reads texts`,
          hint: `Set model to ${kind}, such as ${examples.map((model) => model.name).join(', ')}.`,
        });
      }
    return files;
  }

  async readInputs(inputs: readonly unknown[]): Promise<readonly unknown[]> {
    return inputs;
  }

  item({ text }: Part, prompt = ''): string {
    return prompt + text;
  }

  set(texts: Iterable<string>): InputSet<string> {
    const distinct = [...new Set(texts)];
    const encodings = distinct.map((text) => this.encode(text));
    return new TextSet(distinct, encodings, this);
  }

  rows(rows: readonly PartRow[]): EncodedRows {
    const encodings = rows.map(({ text, textPair }) => this.encode(text, textPair));
    return {
      lengths: Int32Array.from(encodings, ({ inputIds }) => inputIds.length),
      truncated: encodings.reduce((count, { truncated }) => count + Number(truncated), 0),
      feeds: (chosen) => this.feeds(chosen.map((row) => encodings[row]!)),
    };
  }

  get batches(): BatchForm<TextRow> {
    return {
      rowsOf: cutRows,
      joined: (rows) => this.feeds(rows.map(({ encoding }) => encoding)),
    };
  }

  checkLengths(inputs: readonly { text: string; pair?: string }[]): void {
    for (const [i, { text, pair }] of inputs.entries()) {
      const { length } = this.encode(text, pair, Number.POSITIVE_INFINITY).inputIds;
      if (length <= this.maxLength) continue;
      throw new UserError({
        where: `inputs[${i}]`,
        fault: `has ${length} tokens, more than the maximum of ${this.maxLength}`,
        hint: 'Shorten it, or set truncate: true.',
        code: 'invalid_argument',
      });
    }
  }

  /** Encodes a text or a pair, with special tokens. */
  encode(text: string, textPair?: string, maxLength = this.maxLength): Encoding {
    return this.#tokenizer.encode(text, textPair, maxLength);
  }

  /** Encodes a text or a pair in full, with the characters of each token. */
  encodeWithOffsets(text: string, textPair?: string): OffsetsEncoding {
    return this.#tokenizer.encodeWithOffsets(text, textPair);
  }

  /** Encodes lists of words. */
  wordEncoder(): (words: readonly string[]) => WordsEncoding {
    return wordEncoder(this.#tokenizer, this.maxLength);
  }

  /** Pads encodings to a batch. */
  padded(encodings: readonly Encoding[]): Batch {
    return collate(encodings, this.padId);
  }

  /** The model's inputs for encodings. */
  feeds(encodings: readonly Encoding[]): Tensors {
    return modelFeeds(this.padded(encodings));
  }

  get padId(): number {
    return this.#tokenizer.padId;
  }

  /** The token that ends a text. */
  get endId(): number | undefined {
    return this.#tokenizer.idOf('eos_token');
  }

  /** The beginning of every text, as text. Empty if texts begin with no special token. */
  get begin(): string {
    return this.#tokenizer.specialTokens.bos_token ?? '';
  }

  /** The place of the token that represents the whole text. */
  wholeTextPlace(ids: Int32Array): number {
    const places = [this.#tokenizer.idOf('cls_token'), this.#tokenizer.idOf('bos_token')].map((id) =>
      id === undefined ? -1 : ids.indexOf(id),
    );
    return places.find((place) => place >= 0) ?? 0;
  }

  /** The ids before and after a single text. */
  frame(): { before: Int32Array; after: Int32Array } {
    return this.#tokenizer.frame();
  }

  /**
   * Checks a maximum length.
   *
   * @param key the key of the `data` section
   * @returns the number of tokens that remain for a text
   * @throws UserError if it leaves no room besides the special tokens
   */
  roomIn(length: number, key: string): number {
    const { before, after } = this.frame();
    const special = before.length + after.length;
    if (length > special) return length - special;
    throw noRoom(special, 1, length, key);
  }

  /** Adds the special tokens of a single text to its ids. */
  framed(ids: Int32Array): Encoding {
    const { before, after } = this.frame();
    const inputIds = concatenated(before, ids, after);
    return { inputIds, tokenTypeIds: new Int32Array(inputIds.length), truncated: false };
  }

  /** All ids of a text, without special tokens. */
  ids(text: string, onProgress?: (characters: number) => void): Int32Array {
    return this.#tokenizer.ids(text, onProgress);
  }

  /** The ids of a document, with an end of text. */
  document(text: string, onProgress?: (characters: number) => void): Int32Array {
    return documentIds(this.#tokenizer, text, onProgress);
  }

  /** The ids of a prompt with its completion, which is learned. */
  completed(prompt: string, completion: string): LearntIds {
    return promptIds(this.#tokenizer, prompt, completion);
  }

  /** The ids of a prompt and the text after it, without an end of text. The text after the prompt is learned. */
  followed(prompt: string, text: string): LearntIds {
    return followedIds(this.#tokenizer, prompt, text);
  }

  /** The ids of a text to continue. */
  begun(text: string): Int32Array {
    return begun(this.#tokenizer, text);
  }

  /** The ids of a conversation. Its answers are learned, or all of it. */
  conversation(messages: readonly ChatMessage[], whole: boolean, tools?: ChatTools): LearntIds {
    if (whole) return allLearnt(this.ids(this.render(messages, false, tools)));
    return conversationIds(this.#tokenizer, this.#parts.chatTemplate(this.#now), messages, tools);
  }

  /**
   * A conversation as one text, by the chat template.
   *
   * @param toAnswer whether the text ends where an answer begins
   */
  render(messages: readonly ChatMessage[], toAnswer: boolean, tools?: ChatTools): string {
    return this.#parts.chatTemplate(this.#now).render(messages, toAnswer, tools);
  }

  decode(ids: ArrayLike<number>): string {
    return this.#tokenizer.decode(ids);
  }

  /** The bytes that each token adds to a text. Undefined for special tokens. */
  tokenBytes(): readonly (Uint8Array | undefined)[] {
    return this.#tokenizer.tokenBytes();
  }

  /** Decodes ids that arrive one at a time. */
  stream(): TextStream {
    return new TextStream(this.#tokenizer);
  }

  /** @throws UserError for a vocabulary without a mask token */
  masking(): MaskingVocabulary {
    const maskId = this.#tokenizer.idOf('mask_token');
    if (maskId === undefined) {
      throw new UserError({
        where: 'the tokenizer',
        fault: 'has no mask token (mask_token in tokenizer_config.json)',
        code: 'unsupported',
      });
    }
    return {
      maskId,
      vocabSize: Math.min(this.vocabSize, this.#tokenizer.vocabSize),
      specialIds: this.#tokenizer.specialIds,
      wordStarts: this.#tokenizer.wordStarts(),
    };
  }

  /** @throws UserError for an id that the model has no embedding for */
  checkIds(ids: Int32Array): void {
    let largest = 0;
    for (const id of ids) if (id > largest) largest = id;
    if (largest < this.vocabSize) return;
    throw new UserError({
      where: 'the tokenizer',
      fault: `makes the id ${largest}, but vocab_size in the model's config.json is ${this.vocabSize}`,
      hint: 'The tokenizer belongs to another model.',
      code: 'unsupported',
    });
  }
}

/**
 * The texts of a model, for tasks on texts.
 *
 * @throws UserError for a model of images, or of another medium
 */
export function requireTexts(modality: Modality): Texts {
  if (modality instanceof Texts) return modality;
  throw new UserError({
    where: 'the model',
    fault: `reads ${mediumNamed(modality.reads)?.plural}, not texts`,
    hint: 'Name a column with such files, or choose a model of texts.',
    code: 'unsupported',
  });
}

/** The rows of a batch of {@link Texts.feeds}, without padding. */
function cutRows({ input_ids, token_type_ids, attention_mask }: Tensors): TextRow[] {
  const [padded, batch] = input_ids!.dims as [number, number];
  return Array.from({ length: batch }, (_, row) => {
    const mask = attention_mask!.data as Int32Array;
    const length = mask.subarray(row * padded, (row + 1) * padded).reduce((a, b) => a + b, 0);
    const column = ({ data }: Tensors[string]) =>
      Int32Array.from({ length }, (_, position) => data[position * batch + row]!);
    const encoding = {
      inputIds: column(input_ids!),
      tokenTypeIds: column(token_type_ids!),
      truncated: false,
    };
    return { length, encoding };
  });
}
