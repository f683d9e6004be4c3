import type { Value } from '../../../engine/graph/graph.ts';
import type { Session } from '../../../engine/runtime/session.ts';
import type { PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import type { Tuner } from '../../../methods/tuners/tuner.ts';
import type { HeadAxis } from '../../../models/heads/head-definition.ts';
import { type HeadKind, headNamed } from '../../../models/heads/registry.ts';
import type { Engine } from '../../../program/engine.ts';
import type { BatchForm, RowInputs } from '../../../program/modalities/modality.ts';
import { ALONE } from '../../../program/parallel/communicator.ts';
import type { Predictor } from '../../../program/program.ts';
import { evaluationGraph } from '../../../program/training-graph.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import type { AdapterBank } from '../bank/adapter-bank.ts';
import type { BankShape } from '../bank/bank-shape.ts';
import { bankedGraph } from '../bank/growing-bank.ts';
import type { EngineRun } from '../engine-run.ts';
import { type BatchLimits, RowBatcher } from './row-batcher.ts';

/** The adapter of a row. */
export interface RowAdapter {
  /** Number of labels of its head. */
  readonly outputs: number;
}

/** An input and its adapter. */
interface MixedRow {
  adapter: RowAdapter;
  packed: PackedAdapter;
  length: number;
  inputs: RowInputs;
}

export interface MixedOptions extends BatchLimits {
  /** Number of adapters with a slot. */
  slots?: number;
  batches: BatchForm;
  /** Called after every batch. */
  onBatch?(run: EngineRun): void;
}

/** A model with one kind of head. The rows of a batch may have different adapters. */
export class MixedRows {
  readonly #session: Session;
  readonly #bank: AdapterBank;
  readonly #kind: HeadKind;
  readonly #outputs: number;
  readonly #options: MixedOptions;
  readonly #batcher: RowBatcher<MixedRow, Float32Array>;

  private constructor(session: Session, bank: AdapterBank, model: LoadedModel, options: MixedOptions) {
    this.#session = session;
    this.#bank = bank;
    this.#kind = model.headKind;
    this.#outputs = model.config.numLabels;
    this.#options = options;
    this.#batcher = new RowBatcher(
      (rows) => this.#compute(rows),
      (rows, { adapter }) => this.#fits(rows, adapter),
      options,
    );
  }

  /**
   * @param model has a head with at least as many labels as every adapter
   * @throws UserError for modules with adapters that cannot differ between rows
   */
  static async open(
    engine: Engine,
    model: LoadedModel,
    shape: BankShape,
    options: MixedOptions,
  ): Promise<MixedRows> {
    const { graph, bank } = bankedGraph(model, shape, (tuner) => rowsGraph(model, tuner), options.slots);
    return new MixedRows(await engine.open(graph, { packed: true }), bank, model, options);
  }

  /**
   * Returns a predictor with the same results as a separate program for the adapter. It computes in batches that it
   * shares with other adapters.
   */
  predictor(adapter: RowAdapter, packed: PackedAdapter, signal?: AbortSignal): Predictor {
    return {
      communicator: ALONE,
      // The batcher divides the rows.
      maxTokens: Number.POSITIVE_INFINITY,
      predict: async (_, feeds) => {
        const rows = this.#options.batches
          .rowsOf(feeds)
          .map((inputs) => ({ adapter, packed, inputs, length: inputs.length }));
        const logits = await this.#batcher.submit(rows, signal);
        const answered = rows.map(({ length }, i) => ({ length, logits: logits[i]! }));
        return joinedLogits(this.#kind, answered, {
          length: longest(rows),
          outputs: adapter.outputs,
        });
      },
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #compute(rows: readonly MixedRow[]): Promise<Float32Array[]> {
    const startedAt = performance.now();
    const adapters = new Set(rows.map(({ adapter }) => adapter));
    for (const { adapter, packed } of rows) this.#bank.place(adapter, packed, adapters);
    const feeds = this.#options.batches.joined(rows.map(({ inputs }) => inputs));
    const bank = this.#bank.feeds(rows.map(({ adapter }) => adapter));
    const { logits } = await this.#session.run({ ...feeds, ...bank });
    const length = longest(rows);
    const [count, seconds] = [rows.length, (performance.now() - startedAt) / 1000];
    const tokens = count * length;
    this.#options.onBatch?.({ rows: count, tokens, adapters: adapters.size, seconds });
    const padded = { length, outputs: this.#outputs };
    return rows.map(({ length, adapter: { outputs } }, row) =>
      rowLogits(this.#kind, logits!.data as Float32Array, { row, batch: count }, padded, { length, outputs }),
    );
  }

  /** Whether a batch has at most as many adapters as there are slots. */
  #fits(rows: readonly MixedRow[], adapter: RowAdapter): boolean {
    const adapters = new Set(rows.map((row) => row.adapter));
    return adapters.has(adapter) || adapters.size < this.#bank.slots;
  }
}

/** Builds the graph that computes the rows' logits. */
export function rowsGraph(model: LoadedModel, tuner: Tuner): Record<string, Value> {
  return evaluationGraph(model, tuner, 'logits');
}

/** The number of columns of a batch. The engine has no tensors of length 0. */
function longest(rows: readonly RowInputs[]): number {
  return rows.reduce((most, { length }) => Math.max(most, length), 1);
}

/** Numbers of tokens and labels. */
interface LogitsSize {
  length: number;
  outputs: number;
}

/**
 * The layout of a batch's logits, [runs, batch, width]. A row with fewer tokens has fewer `runs`, or with fewer labels
 * a smaller `width`.
 */
function findOrder(kind: HeadKind, { length, outputs }: LogitsSize): { runs: number; width: number } {
  const { axes } = headNamed(kind);
  const size = (axis: HeadAxis) => (typeof axis === 'number' ? axis : axis === 'sequence' ? length : outputs);
  const product = (some: readonly HeadAxis[]) => some.map(size).reduce((a, b) => a * b, 1);
  const batch = axes.indexOf('batch');
  return { runs: product(axes.slice(0, batch)), width: product(axes.slice(batch + 1)) };
}

/**
 * Returns a row's logits without padding, [runs, width].
 *
 * @param padded the size of the batch
 */
export function rowLogits(
  kind: HeadKind,
  logits: Float32Array,
  { row, batch }: { row: number; batch: number },
  padded: LogitsSize,
  rowSize: LogitsSize,
): Float32Array {
  const { width: stride } = findOrder(kind, padded);
  const { runs, width: size } = findOrder(kind, rowSize);
  const taken = new Float32Array(runs * size);
  for (let run = 0; run * size < taken.length; run++) {
    const start = (run * batch + row) * stride;
    taken.set(logits.subarray(start, start + size), run * size);
  }
  return taken;
}

/** Joins the logits of rows to a batch that is padded to `length` tokens. Padding is zero. */
function joinedLogits(
  kind: HeadKind,
  rows: readonly { logits: Float32Array; length: number }[],
  padded: LogitsSize,
): Float32Array {
  const { runs, width: stride } = findOrder(kind, padded);
  const joined = new Float32Array(runs * rows.length * stride);
  for (const [row, { logits, length }] of rows.entries()) {
    const { width: size } = findOrder(kind, { length, outputs: padded.outputs });
    for (let run = 0; run * size < logits.length; run++) {
      joined.set(logits.subarray(run * size, (run + 1) * size), (run * rows.length + row) * stride);
    }
  }
  return joined;
}
