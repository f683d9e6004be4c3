import type { Tensors } from '../../engine/runtime/session.ts';
import type { TextStream } from '../../input/text/text-stream.ts';
import { largest } from '../../support/numbers.ts';
import { Queue, type Waiting } from '../../support/queue.ts';
import { Turns } from '../../support/turns.ts';
import { UserError } from '../../support/user-error.ts';
import type { Texts } from '../modalities/texts.ts';
import { constrain } from './constraint.ts';
import { generate } from './generate.ts';
import {
  type GenerationSettings,
  type GenerationSources,
  generationSettings,
} from './generation-settings.ts';
import type { LanguageModel } from './language-model.ts';
import type { LogitsProcessor, RowLimits } from './logits-processors.ts';
import {
  type Generated,
  type GenerateTextOptions,
  type GenerationInput,
  newTokens,
  type Prompt,
} from './prompt.ts';
import type { SearchOptions } from './search.ts';

interface TextGeneratorParts {
  model: LanguageModel;
  texts: Texts;
  /** The parsed generation_config.json, or config.json if it does not exist. */
  files: Omit<GenerationSources, 'user'>;
  isChat: boolean;
  close(): Promise<void>;
}

/**
 * Default number of new tokens if neither the user nor the model's files set a length. transformers' default
 * of 20 is rarely enough.
 */
const DEFAULT_NEW_TOKENS = 256;

/**
 * A language model that generates text. It has one cache, so calls wait for each other, but waiting calls
 * with equal settings share a batch. Close it after use.
 */
export class TextGenerator {
  /** Whether the adapter was trained on conversations, so that it expects messages. */
  readonly isChat: boolean;
  readonly #parts: TextGeneratorParts;
  readonly #turns = new Turns();
  readonly #queue: WritingQueue;

  constructor(parts: TextGeneratorParts) {
    this.#parts = parts;
    this.isChat = parts.isChat;
    this.#queue = new WritingQueue(parts.model, parts.texts, this.#turns);
  }

  /**
   * Generates the text after a prompt, or an encoder-decoder's output for it. With `num_return_sequences`,
   * returns the first text.
   *
   * @throws UserError for a config, a prompt or a conversation that the model does not support
   * @throws the signal's reason if it is aborted
   */
  async generate(
    prompt: Prompt,
    config: GenerationInput = {},
    { onText, onRead, ...options }: GenerateTextOptions = {},
  ): Promise<Generated> {
    const settings = this.settings(config);
    const ids = this.#ids(prompt, settings);
    onRead?.(ids.length, true);
    if (settings.num_beams === 1 && settings.num_return_sequences === 1)
      return this.#queue.write(ids, settings, { onText, onRead, ...options });
    if (onText && settings.num_return_sequences > 1) throw severalTexts(settings);
    const best = (await this.generateAll([ids], config, options))[0]![0]!;
    onRead?.(best.ids.length - 1, false);
    onText?.(best.text);
    return best;
  }

  /**
   * Generates the texts of several prompts in one batch, padded to the longest. Returns
   * `num_return_sequences` texts per prompt. Beam search returns the best first.
   */
  async generateAll(
    prompts: readonly Prompt[],
    config: GenerationInput = {},
    options: SearchOptions = {},
  ): Promise<Generated[][]> {
    const settings = this.settings(config);
    const ids = prompts.map((prompt) => this.#ids(prompt, settings));
    const rows = await this.#turns.run(() =>
      generate(this.#parts.model, ids, settings, {
        ...options,
        constraint: makeConstraint(this.#parts.texts, settings),
      }),
    );
    const begun = this.#begun(ids);
    const all = rows.map((row): Generated => {
      const made = newTokens(row, begun, settings.eos_token_id);
      return { text: this.#parts.texts.decode(made.ids), ...made };
    });
    const each = settings.num_return_sequences;
    return prompts.map((_, i) => all.slice(i * each, (i + 1) * each));
  }

  /**
   * Generates a text for each file of a medium.
   *
   * @param feeds the model's input for the files
   * @param prefix the tokens with which every text starts
   * @param constraint changes the scores of tokens
   * @throws UserError for a model that reads texts
   */
  async transcribe(
    feeds: Tensors,
    prefix: Int32Array,
    files: number,
    constraint?: (limits: RowLimits) => LogitsProcessor,
  ): Promise<Generated[]> {
    const { model, texts } = this.#parts;
    const settings = this.settings({});
    const { vocabSize, maxPositions } = model;
    const rows = await this.#turns.run(async () => {
      await model.hear!(feeds);
      // After the files, the decoder continues the prefix like a decoder alone.
      const decoder = { vocabSize, maxPositions, read: model.read.bind(model) } as LanguageModel;
      return generate(decoder, new Array(files).fill(prefix), settings, constraint && { constraint });
    });
    return rows.map((row) => {
      const made = newTokens(row, prefix.length, settings.eos_token_id);
      return { text: texts.decode(made.ids), ...made };
    });
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  /**
   * Merges a config with the model's files.
   *
   * @throws UserError with a line for each problem in the config or the files
   */
  settings(user: GenerationInput): GenerationSettings {
    const settings = generationSettings({ ...this.#parts.files, user });
    const isOpen = settings.max_new_tokens === undefined && settings.max_length === undefined;
    makeConstraint(this.#parts.texts, settings);
    return isOpen ? { ...settings, max_new_tokens: DEFAULT_NEW_TOKENS } : settings;
  }

  #ids(prompt: Prompt, { bos_token_id }: GenerationSettings): Int32Array {
    const ids = this.#tokens(prompt);
    const { vocabSize } = this.#parts.model;
    const beyond = ids.find((id) => id < 0 || id >= vocabSize);
    if (beyond !== undefined) {
      throw new UserError({
        where: 'the prompt',
        fault: `has token id ${beyond}, but vocab_size in the model's config.json is ${vocabSize}`,
        hint:
          prompt instanceof Int32Array
            ? "Use ids of this model's vocabulary."
            : 'Its vocabulary file belongs to another model.',
        code: 'invalid_argument',
      });
    }
    return ids.length === 0 && bos_token_id !== undefined ? Int32Array.of(bos_token_id) : ids;
  }

  #tokens(prompt: Prompt): Int32Array {
    const { texts, model } = this.#parts;
    if (prompt instanceof Int32Array) return prompt;
    if (typeof prompt !== 'string') {
      const { messages, tools } = 'tools' in prompt ? prompt : { messages: prompt, tools: undefined };
      return texts.ids(texts.render(messages, true, tools));
    }
    if (model.encode) return texts.encode(prompt, undefined, Number.POSITIVE_INFINITY).inputIds;
    return texts.begun(prompt);
  }

  /** The number of tokens with which each row starts. */
  #begun(prompts: readonly Int32Array[]): number {
    return this.#parts.model.encode ? 1 : largest(prompts.map(({ length }) => length));
  }
}

type WritingTexts = Pick<Texts, 'stream'> & Partial<Pick<Texts, 'tokenBytes'>>;

/** @throws UserError for a format that cannot be kept */
function makeConstraint(texts: WritingTexts, { response_format, eos_token_id }: GenerationSettings) {
  return response_format && constrain(response_format, texts.tokenBytes!(), eos_token_id ?? []);
}

function severalTexts({ num_return_sequences }: GenerationSettings): UserError {
  return new UserError({
    where: 'Streaming',
    fault: `supports one text per prompt, got num_return_sequences: ${num_return_sequences}`,
    hint: 'Set it to 1, or do not stream.',
    code: 'invalid_argument',
  });
}

/** Maximum prompts in a batch. More gain little, and each needs memory for its keys and values. */
const MAX_TOGETHER = 8;

interface Request {
  prompt: Int32Array;
  settings: GenerationSettings;
  options: GenerateTextOptions;
  /** Requests with equal keys can share a batch. */
  key: string;
}

type Writing = Waiting<Request, Generated>;

/**
 * Generates texts for requests without beams. Waiting requests with equal settings share a batch. Each
 * request has its own seed and gets the same text as alone, up to the rounding of sums. It leaves the batch
 * when its text ends or its signal is aborted.
 */
export class WritingQueue {
  readonly #model: LanguageModel;
  readonly #texts: WritingTexts;
  readonly #queue: Queue<Request, Generated>;

  /** @param turns serializes the use of the model, which has a single cache */
  constructor(model: LanguageModel, texts: WritingTexts, turns: Turns) {
    this.#model = model;
    this.#texts = texts;
    this.#queue = new Queue<Request, Generated>({
      next: async (queue) => {
        // Simultaneous requests arrive as separate messages. This waits for all of them.
        await new Promise((resolve) => setTimeout(resolve));
        return this.#nextBatch(queue.waiting);
      },
      compute: (batch) => turns.run(() => this.#write(batch)),
    });
  }

  /**
   * @throws UserError for a prompt that the model cannot take
   * @throws what `onText` throws, or the signal's reason
   */
  async write(
    prompt: Int32Array,
    settings: GenerationSettings,
    options: GenerateTextOptions,
  ): Promise<Generated> {
    const request = { prompt, settings, options, key: JSON.stringify(settings) };
    const [generated] = await this.#queue.submit([request], options.signal);
    return generated!;
  }

  /** The request that has waited longest, and the requests that can share its batch. */
  #nextBatch(waiting: readonly Writing[]): Writing[] {
    const batch: Writing[] = [];
    for (const one of waiting)
      if (batch.length < MAX_TOGETHER && this.#fits(one.item, batch)) batch.push(one);
    return batch;
  }

  /**
   * Whether a request can join a batch. All prompts are padded to the longest. Nevertheless, each request
   * must be able to generate as many tokens as alone.
   */
  #fits({ key, prompt, settings }: Request, batch: readonly Writing[]): boolean {
    if (batch.length === 0) return true;
    const { max_new_tokens, pad_token_id } = settings;
    if (batch[0]!.item.key !== key || max_new_tokens === undefined || pad_token_id === undefined)
      return false;
    const length = Math.max(prompt.length, largest(batch.map(({ item }) => item.prompt.length)));
    const { maxPositions, encode } = this.#model;
    return maxPositions === undefined || length + (encode ? 0 : max_new_tokens) <= maxPositions;
  }

  async #write(batch: readonly Writing[]): Promise<void> {
    const { settings } = batch[0]!.item;
    const { eos_token_id: ends = [] } = settings;
    const texts = batch.map((one) => new StreamedText(one, this.#texts.stream(), ends));
    const ending = new AbortController();
    // If all callers have their texts or have left, nothing more is generated.
    void Promise.allSettled(batch.map(({ result }) => result)).then(() => ending.abort());
    try {
      await generate(
        this.#model,
        batch.map(({ item }) => item.prompt),
        settings,
        {
          seed: batch.map(({ item }) => item.options.seed ?? 0),
          signal: ending.signal,
          constraint: makeConstraint(this.#texts, settings),
          hasLeft: (row) => batch[row]!.isSettled,
          onToken: ({ row, token }) => texts[row]!.add(token),
        },
      );
      for (const text of texts) text.finish();
    } catch (error) {
      // A prompt with an error is found before the first token.
      if (texts.every(({ tokens }) => tokens.length === 0)) throw error;
      for (const { reject } of batch) reject(error);
    }
  }
}

/** The text of a request while it is generated. */
class StreamedText {
  readonly tokens: number[] = [];
  readonly #writing: Writing;
  readonly #pieces: TextStream;
  readonly #ends: readonly number[];
  #text = '';

  constructor(writing: Writing, pieces: TextStream, ends: readonly number[]) {
    this.#writing = writing;
    this.#pieces = pieces;
    this.#ends = ends;
  }

  add(token: number): void {
    if (this.#writing.isSettled) return;
    if (this.tokens.length > 0) this.#writing.item.options.onRead?.(1, false);
    this.tokens.push(token);
    this.#tell(this.#pieces.add(token));
    if (this.#ends.includes(token)) this.finish();
  }

  finish(): void {
    if (this.#writing.isSettled) return;
    this.#tell(this.#pieces.end());
    const tokens = newTokens(Int32Array.from(this.tokens), 0, this.#ends);
    this.#writing.resolve({ text: this.#text, ...tokens });
  }

  #tell(piece: string): void {
    this.#text += piece;
    if (piece === '') return;
    try {
      this.#writing.item.options.onText?.(piece);
    } catch (error) {
      this.#writing.reject(error);
    }
  }
}
