import type { Tensors } from '../../../engine/runtime/session.ts';
import type { PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import type { Engine } from '../../../program/engine.ts';
import { CachedRows, CachedSession, causalGraph } from '../../../program/generation/cached-session.ts';
import { PIECE } from '../../../program/generation/causal-language-model.ts';
import type { LanguageModel, ReadOptions } from '../../../program/generation/language-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { WorkLoop } from '../../../support/queue.ts';
import type { AdapterBank } from '../bank/adapter-bank.ts';
import type { BankShape } from '../bank/bank-shape.ts';
import { bankedGraph } from '../bank/growing-bank.ts';
import type { EngineRun } from '../engine-run.ts';
import { Overloaded } from '../service/service-errors.ts';

export interface DecodingLimits {
  /** Maximum number of sequences that are generated in parallel. */
  maxRows: number;
  /** Maximum number of waiting prompts. */
  maxQueued: number;
}

export interface DecodingOptions extends DecodingLimits {
  /** Number of adapters with a slot. */
  slots?: number;
  /** Called after every run, which reads a piece of a prompt or one token for every sequence. */
  onRun?(run: EngineRun): void;
}

/** A sequence's request for its next read. */
interface Ask {
  tokens: Int32Array;
  resolve(logits: Float32Array): void;
  reject(reason: unknown): void;
}

interface Sequence {
  adapter: object;
  packed: PackedAdapter;
  ask?: Ask;
  isReleased: boolean;
  /** Set when its rows were lost, because a computation has failed. */
  failure?: { error: unknown };
}

/** The prompt that is being read, piece by piece. */
interface Reading {
  sequence: Sequence;
  at: number;
}

/**
 * A decoder that many sequences of different adapters share. One run reads a token for each active sequence. Sequences
 * join and leave between two tokens. They join after their prompts have been read. Long prompts are read in pieces, one
 * between two tokens of the others.
 */
export class DecodingLoop {
  readonly #rows: CachedRows;
  readonly #prompt: CachedRows;
  readonly #bank: AdapterBank;
  readonly #options: DecodingOptions;
  readonly #model: Pick<LanguageModel, 'vocabSize' | 'maxPositions'>;
  readonly #piece: number;
  #waiting: Sequence[] = [];
  /** In the order of their rows. */
  #live: Sequence[] = [];
  #reading: Reading | undefined;
  readonly #loop = new WorkLoop(
    () => this.#live.length > 0 || this.#reading !== undefined || this.#waiting.length > 0,
    () => this.#round(),
    (error) => this.#fail(error, [...this.#waiting.splice(0), ...this.#active()]),
  );
  #wake = () => {};

  private constructor(
    session: CachedSession,
    bank: AdapterBank,
    { config }: LoadedModel,
    options: DecodingOptions,
  ) {
    this.#rows = new CachedRows(session);
    this.#rows.reset(0);
    this.#prompt = this.#rows.fork();
    this.#bank = bank;
    this.#options = options;
    this.#model = { vocabSize: config.vocabSize, maxPositions: config.maxLength };
    this.#piece = config.readsWhole ? Number.POSITIVE_INFINITY : PIECE;
  }

  /** @throws UserError for modules with adapters that cannot differ between rows */
  static async open(
    engine: Engine,
    model: LoadedModel,
    shape: BankShape,
    options: DecodingOptions,
  ): Promise<DecodingLoop> {
    const { graph, bank } = bankedGraph(model, shape, (tuner) => causalGraph(model, tuner), options.slots);
    return new DecodingLoop(
      await CachedSession.open(engine, graph, new Float32Array(0), { packed: true }),
      bank,
      model,
      options,
    );
  }

  /** Number of prompts that wait to be read. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Number of active sequences. */
  get running(): number {
    return this.#live.length + Number(this.#reading !== undefined);
  }

  /**
   * Returns a language model for one sequence at a time. Release it when the sequence has ended. Between its reads, do
   * not wait for anything else, because the other sequences wait for it.
   *
   * @param adapter object that identifies the adapter
   */
  sequence(adapter: object, packed: PackedAdapter): LanguageModel & { release(): Promise<void> } {
    const started: Sequence = { adapter, packed, isReleased: false };
    return {
      ...this.#model,
      read: (tokens, _, options) => this.#read(started, tokens, options),
      release: async () => {
        started.isReleased = true;
        this.#wake();
      },
    };
  }

  /** Frees the engine's memory. No sequence may be active. */
  release(): Promise<void> {
    return this.#rows.release();
  }

  #read(sequence: Sequence, tokens: Int32Array, { mask, signal }: ReadOptions): Promise<Float32Array> {
    if (mask && this.#waiting.length >= this.#options.maxQueued) throw new Overloaded(this.#waiting.length);
    if (sequence.failure) throw sequence.failure.error;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== sequence);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      const done =
        <Value>(settle: (value: Value) => void) =>
        (value: Value) => {
          signal?.removeEventListener('abort', abort);
          settle(value);
        };
      sequence.ask = { tokens, resolve: done(resolve), reject: done(reject) };
      if (mask) this.#waiting.push(sequence);
      this.#wake();
      this.#loop.start();
    });
  }

  async #round(): Promise<void> {
    await this.#settled();
    this.#leave();
    this.#reading ??= this.#nextPrompt();
    // A sequence that has joined must first choose its next token.
    if (this.#reading && (await this.#readPiece(this.#reading))) return;
    if (this.#live.length > 0) await this.#step();
  }

  /** The sequences that have rows, or whose prompt is being read. */
  #active(): Sequence[] {
    const reading = this.#reading ? [this.#reading.sequence] : [];
    return [...this.#live, ...reading];
  }

  /** Ends sequences with an error. None of them keeps its rows. */
  #fail(error: unknown, sequences: readonly Sequence[]): void {
    const failed = new Set(sequences);
    if (this.#reading && failed.has(this.#reading.sequence)) this.#reading = undefined;
    if (this.#live.some((sequence) => failed.has(sequence))) {
      this.#live = [];
      this.#rows.reset(0);
    }
    for (const sequence of failed) {
      sequence.failure = { error };
      sequence.ask?.reject(error);
    }
  }

  /** Resolves when every active sequence has requested its next read. */
  async #settled(): Promise<void> {
    while (this.#live.some(({ ask, isReleased }) => !ask && !isReleased)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Removes ended sequences from the batch. */
  #leave(): void {
    const staying = this.#live.flatMap(({ isReleased }, row) => (isReleased ? [] : [row]));
    if (staying.length === this.#live.length) return;
    this.#live = staying.map((row) => this.#live[row]!);
    if (staying.length > 0) {
      this.#rows.follow(Int32Array.from(staying));
      this.#rows.forgetPadding();
    } else this.#rows.reset(0);
  }

  /** The prompt that has waited the longest, if there is room for it. */
  #nextPrompt(): Reading | undefined {
    const [sequence] = this.#waiting;
    if (!sequence || this.#live.length >= this.#options.maxRows) return undefined;
    const kept = new Set(this.#live.map(({ adapter }) => adapter));
    try {
      if (!this.#bank.place(sequence.adapter, sequence.packed, kept)) return undefined;
      this.#waiting.shift();
    } catch (error) {
      this.#waiting.shift();
      this.#fail(error, [sequence]);
      return undefined;
    }
    this.#prompt.reset(1);
    return { sequence, at: 0 };
  }

  /**
   * Reads the next piece of a prompt. Returns whether the prompt is complete and its sequence has joined the others.
   */
  async #readPiece({ sequence, at }: Reading): Promise<boolean> {
    const { ask, isReleased } = sequence;
    this.#reading = undefined;
    if (!ask || isReleased) return false;
    const end = Math.min(ask.tokens.length, at + this.#piece);
    let logits: Float32Array;
    try {
      logits = await this.#compute(this.#prompt, [sequence], ask.tokens.subarray(at, end));
    } catch (error) {
      this.#fail(error, [sequence]);
      return false;
    }
    if (sequence.isReleased) return false;
    if (end < ask.tokens.length) {
      this.#reading = { sequence, at: end };
      return false;
    }
    this.#live.push(sequence);
    this.#rows.join(this.#prompt);
    sequence.ask = undefined;
    ask.resolve(logits);
    return true;
  }

  /** Reads one token for every active sequence. */
  async #step(): Promise<void> {
    const asks = this.#live.map(({ ask }) => ask!);
    try {
      const tokens = Int32Array.from(asks, ({ tokens }) => tokens[0]!);
      const logits = await this.#compute(this.#rows, this.#live, tokens);
      for (const sequence of this.#live) sequence.ask = undefined;
      const { vocabSize } = this.#model;
      asks.forEach(({ resolve }, row) => resolve(logits.slice(row * vocabSize, (row + 1) * vocabSize)));
    } catch (error) {
      this.#fail(error, this.#live);
    }
  }

  async #compute(
    rows: CachedRows,
    sequences: readonly Sequence[],
    tokens: Int32Array,
  ): Promise<Float32Array> {
    const startedAt = performance.now();
    const adapters = sequences.map(({ adapter }) => adapter);
    const bank: Tensors = this.#bank.feeds(adapters);
    const logits = await rows.read(tokens, sequences.length, undefined, bank);
    this.#options.onRun?.({
      rows: sequences.length,
      tokens: tokens.length,
      adapters: new Set(adapters).size,
      seconds: (performance.now() - startedAt) / 1000,
    });
    return logits;
  }
}
