import { TextStream } from '../../input/text/text-stream.ts';
import type { TextTokenizer } from '../../input/text/tokenizer.ts';
import type { Turns } from '../../support/turns.ts';
import { WorkLoop } from '../../support/work-loop.ts';
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
  tokens: number[];
  pieces: TextStream;
  text: string;
  /** Whether the request needs no more work: its caller has the text or an error, or has left. */
  isSettled: boolean;
  /** The requests in the same batch, and the controller that stops their generation. */
  batch?: readonly Request[];
  ending?: AbortController;
  resolve(generated: Generated): void;
  reject(reason: unknown): void;
}

/**
 * Generates texts for requests without beams. Waiting requests with equal settings share a batch. Each
 * request has its own seed and gets the same text as alone, up to the rounding of sums. It leaves the batch
 * when its text ends or its signal is aborted.
 */
export class WritingQueue {
  readonly #model: LanguageModel;
  readonly #tokenizer: TextTokenizer;
  readonly #turns: Turns;
  #waiting: Request[] = [];
  readonly #loop = new WorkLoop(
    () => this.#waiting.length > 0,
    () => this.#turns.run(() => this.#round()),
    (error) => {
      for (const request of this.#waiting.splice(0)) fail(request, error);
    },
  );

  /** @param turns serializes the use of the model, which has a single cache */
  constructor(model: LanguageModel, tokenizer: TextTokenizer, turns: Turns) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#turns = turns;
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
    const { signal } = options;
    signal?.throwIfAborted();
    let leave = () => {};
    const written = new Promise<Generated>((resolve, reject) => {
      const request: Request = {
        ...{ prompt, settings, options, resolve, reject },
        key: JSON.stringify(settings),
        ...{ tokens: [], pieces: new TextStream(this.#tokenizer), text: '', isSettled: false },
      };
      leave = () => fail(request, signal?.reason);
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(request);
    });
    this.#loop.start();
    return written.finally(() => signal?.removeEventListener('abort', leave));
  }

  async #round(): Promise<void> {
    // Simultaneous requests arrive as separate messages. This waits for all of them.
    await new Promise((resolve) => setTimeout(resolve));
    await this.#write(this.#nextBatch());
  }

  /** The request that has waited longest, and the requests that can share its batch. */
  #nextBatch(): Request[] {
    this.#waiting = this.#waiting.filter(({ isSettled }) => !isSettled);
    const batch: Request[] = [];
    for (const request of this.#waiting)
      if (batch.length < MAX_TOGETHER && this.#fits(request, batch)) batch.push(request);
    this.#waiting = this.#waiting.filter((request) => !batch.includes(request));
    return batch;
  }

  /**
   * Whether a request can join a batch. All prompts are padded to the longest. Nevertheless, each request
   * must be able to generate as many tokens as alone.
   */
  #fits({ key, prompt, settings }: Request, batch: readonly Request[]): boolean {
    if (batch.length === 0) return true;
    const { max_new_tokens, pad_token_id } = settings;
    if (batch[0]!.key !== key || max_new_tokens === undefined || pad_token_id === undefined) return false;
    const length = Math.max(prompt.length, ...batch.map((other) => other.prompt.length));
    const { maxPositions, encode } = this.#model;
    return maxPositions === undefined || length + (encode ? 0 : max_new_tokens) <= maxPositions;
  }

  async #write(batch: readonly Request[]): Promise<void> {
    if (batch.length === 0) return;
    const { settings } = batch[0]!;
    const ending = new AbortController();
    for (const request of batch) Object.assign(request, { batch, ending });
    const { eos_token_id: ends = [] } = settings;
    try {
      await generate(
        this.#model,
        batch.map(({ prompt }) => prompt),
        settings,
        {
          seed: batch.map(({ options }) => options.seed ?? 0),
          signal: ending.signal,
          hasLeft: (row) => batch[row]!.isSettled,
          onToken({ row, token }) {
            add(batch[row]!, token);
            if (ends.includes(token)) finish(batch[row]!, ends);
          },
        },
      );
      for (const request of batch) finish(request, ends);
    } catch (error) {
      const isBegun = batch.some(({ tokens }) => tokens.length > 0);
      // One request's prompt must not make the others fail, so each request is generated alone.
      if (batch.length > 1 && !isBegun) for (const request of batch) await this.#write([request]);
      else for (const request of batch) fail(request, error);
    }
  }
}

function add(request: Request, token: number): void {
  if (request.isSettled) return;
  request.tokens.push(token);
  tell(request, request.pieces.add(token));
}

function finish(request: Request, ends: readonly number[]): void {
  if (request.isSettled) return;
  tell(request, request.pieces.end());
  if (request.isSettled) return;
  request.isSettled = true;
  request.resolve({ text: request.text, ...newTokens(Int32Array.from(request.tokens), 0, ends) });
}

function tell(request: Request, piece: string): void {
  request.text += piece;
  if (piece === '') return;
  try {
    request.options.onText?.(piece);
  } catch (error) {
    fail(request, error);
  }
}

function fail(request: Request, reason: unknown): void {
  if (request.isSettled) return;
  request.isSettled = true;
  request.reject(reason);
  if (request.batch?.every(({ isSettled }) => isSettled)) request.ending?.abort(reason);
}
