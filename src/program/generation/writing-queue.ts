import type { TextStream } from '../../input/text/text-stream.ts';
import { largest } from '../../support/numbers.ts';
import { Queue, type Waiting } from '../../support/queue.ts';
import type { Turns } from '../../support/turns.ts';
import type { Texts } from '../modalities/texts.ts';
import { generate } from './generate.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { LanguageModel } from './language-model.ts';
import { type Generated, type GenerateTextOptions, newTokens } from './prompt.ts';

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
  readonly #texts: Pick<Texts, 'stream'>;
  readonly #queue: Queue<Request, Generated>;

  /** @param turns serializes the use of the model, which has a single cache */
  constructor(model: LanguageModel, texts: Pick<Texts, 'stream'>, turns: Turns) {
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
