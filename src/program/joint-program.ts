import { gradients } from '../engine/autodiff/gradients.ts';
import { input, multiply, sum } from '../engine/graph/build.ts';
import { symbol } from '../engine/graph/dimension.ts';
import { Graph, type Value } from '../engine/graph/graph.ts';
import { collectSymbols } from '../engine/graph/print.ts';
import type { Session, Tensors } from '../engine/runtime/session.ts';
import type { Tuner } from '../methods/tuners/tuner.ts';
import type { DropoutSites } from '../models/nn/dropout.ts';
import { joinedFloats } from '../support/arrays.ts';
import { OnDemand, type Releasable, releaseAll } from '../support/opened.ts';
import { batchPart } from './batch-part.ts';
import type { Engine } from './engine.ts';
import type { JointLoss, TaskModel } from './objectives/task-model.ts';
import type { Communicator } from './parallel/communicator.ts';
import { findRows, type RowRange } from './parallel/deal.ts';
import { TRAINED, type TrainingOptions, trainingGraph, trainingNetwork } from './training-graph.ts';

/** Name of the input for the gradient of the loss with respect to the outputs. */
const PULLED = 'output_gradient';
const OUTPUTS = 'outputs';

/** A batch of a step in which every example's loss depends on all the others. */
export interface JointBatch {
  feeds: Tensors;
  /** Batches with the same number get the same dropout masks. */
  number: number;
  /** The batch's share of the step's loss. */
  weight: number;
  /** Number of texts computed at a time. Default: all. */
  chunk?: number;
}

/** The result of a part of a step. */
export interface JointPart {
  /** The step's loss. */
  loss: number;
  regularizer?: number;
  /**
   * The part's contribution to the gradient (see `Objective`), divided by its share. The next part overwrites the
   * memory.
   */
  gradient: Float32Array;
  share: number;
}

interface Opened extends Releasable {
  session: Session;
  outputs: readonly Value[];
  dropouts?: DropoutSites;
}

/**
 * Computes gradients of a loss over all texts of a step, with few texts in memory at a time (Gao et al., 2021). It
 * first computes the outputs of all texts, then the loss and its gradient with respect to the outputs, then the
 * backward pass of each part. Processes that share a run compute their own texts and exchange the outputs.
 */
export class JointProgram {
  readonly #engine: Engine;
  readonly #model: TaskModel & { joint: JointLoss };
  readonly #tuner: Tuner;
  readonly #options: TrainingOptions;
  readonly #gradient: Float32Array;
  readonly #forward = new OnDemand(() => this.#openForward());
  readonly #pull = new OnDemand(() => this.#openPull());
  readonly #loss = new OnDemand(() => this.#openLoss());

  constructor(
    { engine, model, tuner }: { engine: Engine; model: TaskModel; tuner: Tuner },
    options: TrainingOptions,
  ) {
    if (!model.joint) throw new Error('JointProgram needs a model with a joint loss');
    [this.#engine, this.#tuner, this.#options] = [engine, tuner, options];
    this.#model = { ...model, joint: model.joint };
    this.#gradient = new Float32Array(tuner.layout.length + (tuner.watches ?? 0));
  }

  /** Yields the results of this process's parts, in order. The shares of all processes sum to 1. */
  async *differentiate(
    values: Float32Array,
    batches: readonly JointBatch[],
    seed: number,
    communicator: Communicator,
  ): AsyncGenerator<JointPart> {
    const forward = await this.#forward.get();
    const pull = await this.#pull.get();
    const lossSession = await this.#loss.get();
    const { joint, config } = this.#model;
    const width = config.numLabels;
    const sizes = batches.map(({ feeds }) => collectSymbols(forward.outputs, feeds));
    const texts = sizes.map(({ batch }) => batch!);
    const rowChunks = batches.map(({ chunk = Number.POSITIVE_INFINITY }, i) =>
      splitRows(findRows(communicator, texts[i]!), chunk),
    );
    const feedsOf = ({ outputs, dropouts }: Opened, i: number, rows: RowRange, extra?: Tensors) => {
      const { feeds, number } = batches[i]!;
      const part = batchPart(outputs, { ...feeds, ...extra }, rows);
      const masks = dropouts?.feeds(seed, number, sizes[i]!, part.rows);
      return { [TRAINED]: { data: values, dims: [values.length] }, ...part.feeds, ...masks };
    };

    const computed: Float32Array[] = [];
    for (const [i, parts] of rowChunks.entries())
      for (const rows of parts) {
        const made = await forward.session.run(feedsOf(forward, i, rows));
        computed.push(Float32Array.from(made[OUTPUTS]!.data as Float32Array));
      }
    const outputs = gathered(computed, texts, width, communicator);
    const inputs = joint.join(
      batches.map(({ feeds }) => feeds),
      texts,
    );
    const total = texts.reduce((a, b) => a + b, 0);
    const lossOutputs = await lossSession.run({
      ...inputs,
      [OUTPUTS]: { data: outputs, dims: [total, width] },
    });
    const loss = lossOutputs.loss!.data[0] as number;
    const pulled = lossOutputs.gradient!.data as Float32Array;

    let before = 0;
    for (const [i, parts] of rowChunks.entries()) {
      const of = pulled.subarray(before * width, (before + texts[i]!) * width);
      for (const rows of parts) {
        const share = (batches[i]!.weight * (rows.end - rows.start)) / texts[i]!;
        const extra = { [PULLED]: { data: of.map((x) => x / share), dims: [texts[i]!, width] } };
        const gradient = { data: this.#gradient, dims: [this.#gradient.length] };
        const made = await pull.session.run(feedsOf(pull, i, rows, extra), { gradient });
        yield { loss, regularizer: made.regularizer?.data[0] as number, gradient: this.#gradient, share };
      }
      before += texts[i]!;
    }
  }

  release(): Promise<void> {
    return releaseAll([this.#forward, this.#pull, this.#loss]);
  }

  async #openForward(): Promise<Opened> {
    const { network } = trainingNetwork(this.#tuner, this.#options);
    const outputs = { [OUTPUTS]: this.#model.buildLogits(network) };
    const session = await this.#engine.open(outputs);
    return {
      session,
      outputs: Object.values(outputs),
      dropouts: network.dropouts,
      release: () => session.release(),
    };
  }

  async #openPull(): Promise<Opened> {
    const pull = trainingGraph(
      (training) => {
        const outputs = this.#model.buildLogits(training);
        return sum(multiply(outputs, input(training.graph, PULLED, 'float32', outputs.shape)), [0, 1]);
      },
      this.#tuner,
      this.#options,
    );
    const session = await this.#engine.open(pull.outputs, { packed: !this.#options.gradientCheckpointing });
    return {
      session,
      outputs: Object.values(pull.outputs),
      dropouts: pull.dropouts,
      release: () => session.release(),
    };
  }

  async #openLoss(): Promise<Session> {
    const { joint, config } = this.#model;
    const outputs = input(new Graph(), OUTPUTS, 'float32', [symbol('texts'), config.numLabels]);
    const loss = joint.build(outputs, this.#options.customLoss);
    const [gradient] = gradients(loss, [outputs]);
    return this.#engine.open({ loss, gradient: gradient! });
  }
}

/** Splits rows into ranges of at most `most` rows. An empty range has no chunks. */
function splitRows({ start, end }: RowRange, most: number): RowRange[] {
  const chunks: RowRange[] = [];
  for (let at = start; at < end; at += most) chunks.push({ start: at, end: Math.min(end, at + most) });
  return chunks;
}

/** Joins the outputs of all texts in order, from each process's results for every batch. */
function gathered(
  ownOutputs: readonly Float32Array[],
  texts: readonly number[],
  width: number,
  communicator: Communicator,
): Float32Array {
  const mine = joinedFloats(ownOutputs);
  const { size, hosts } = communicator;
  if (size === 1) return mine;
  const all = communicator
    .gather(new Uint8Array(mine.buffer, mine.byteOffset, mine.byteLength))
    .map((bytes) => new Float32Array(bytes.slice().buffer));
  const read = all.map(() => 0);
  return joinedFloats(
    texts.flatMap((count) =>
      all.map((outputs, rank) => {
        const { start, end } = findRows({ ...communicator, rank, size, hosts }, count);
        const from = read[rank];
        read[rank]! += (end - start) * width;
        return outputs.subarray(from, read[rank]);
      }),
    ),
  );
}
