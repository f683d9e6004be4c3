import { collectSymbols } from '../engine/graph/print.ts';
import type { Session, Tensors } from '../engine/runtime/session.ts';
import type { Tuner } from '../methods/tuners/tuner.ts';
import { DropoutPools } from '../models/nn/dropout.ts';
import { OnDemand, releaseAll } from '../support/opened.ts';
import { batchPart, countParts, trainingMasks } from './batch-part.ts';
import type { Engine } from './engine.ts';
import { type JointBatch, type JointPart, JointProgram } from './joint-program.ts';
import { inParts } from './objectives/labeled-rows.ts';
import type { TaskModel } from './objectives/task-model.ts';
import { ALONE, type Communicator } from './parallel/communicator.ts';
import { findRows } from './parallel/deal.ts';
import {
  type EvaluationOutput,
  evaluationGraph,
  TRAINED,
  type TrainingOptions,
  trainingGraph,
} from './training-graph.ts';

/** The result for a micro-batch, or for the examples of it that this process computes. */
export interface Objective {
  /** The task's mean loss. */
  loss: number;
  /** The value of the regularizer R, if the method has one. */
  regularizer?: number;
  /** The gradient of loss + γ R, followed by the values that the tuner watches. The next call overwrites the memory. */
  gradient: Float32Array;
  /** The share of these examples in the micro-batch's mean loss; 1 for a single process. */
  share: number;
}

/** The part of a program that computes logits. */
export interface Predictor extends Pick<Program, 'predict' | 'communicator'> {
  /** Maximum number of tokens of a batch, if other than that of `planEvaluation`. */
  maxTokens?: number;
}

/** The part of a program that evaluations need. */
export type Evaluator = Pick<Program, 'parts' | 'predict' | 'loss' | 'features' | 'vectors' | 'communicator'>;

interface ProgramOptions extends Omit<TrainingOptions, 'masks'> {
  /** The processes that divide the examples. Default: only this process. */
  communicator?: Communicator;
}

/**
 * A loaded model with a tuner: gradients for training, logits and loss for evaluation. Sessions open on first use. If
 * several processes share a run, each gets the gradient of its own examples of a batch. In evaluations, the caller
 * divides the batches among processes.
 */
export class Program {
  /** The parts that the program was made from, for other sessions of the same network. */
  readonly parts: { engine: Engine; model: TaskModel; tuner: Tuner };
  readonly communicator: Communicator;
  readonly #options: TrainingOptions;
  readonly #gradient: Float32Array;
  readonly #training = new OnDemand(() => this.#openTraining());
  #joint: JointProgram | undefined;
  readonly #evaluations = new Map<EvaluationOutput, OnDemand<Session>>();

  constructor(engine: Engine, model: TaskModel, tuner: Tuner, options: ProgramOptions = {}) {
    const { communicator = ALONE, ...training } = options;
    this.parts = { engine, model, tuner };
    this.communicator = communicator;
    this.#options = {
      pools: new DropoutPools(),
      ...training,
      masks: communicator.size > 1 ? 'host' : trainingMasks(model, engine.masks),
    };
    this.#gradient = new Float32Array(tuner.layout.length + (tuner.watches ?? 0));
  }

  /** The number of parts in which each process differentiates its examples of a batch. */
  countParts({ examples, tokens }: { examples: number; tokens: number }): number {
    const { size } = this.communicator;
    const { masks, customLoss } = this.#options;
    const { model, tuner } = this.parts;
    const own = { examples: examples / size, tokens: tokens / size };
    return countParts(model, tuner, own, { masks, hasOwnLoss: customLoss !== undefined });
  }

  /** Opens the training session before the first step. */
  async prepare(): Promise<void> {
    await this.#training.get();
  }

  /**
   * @param batch the inputs of the model and of its loss
   * @param dropoutStep number of the micro-batch; the same number gives the same masks
   * @param division the number of parts of the batch, and which of them to compute; by default the processes
   */
  async differentiate(
    values: Float32Array,
    batch: Tensors,
    seed: number,
    dropoutStep: number,
    division: Communicator = this.communicator,
  ): Promise<Objective> {
    const { session, graph } = await this.#training.get();
    const graphOutputs = Object.values(graph.outputs);
    const sizes = collectSymbols(graphOutputs, batch);
    const part =
      division.size > 1
        ? batchPart(graphOutputs, batch, findRows(division, sizes.batch!), this.#options.classWeights)
        : undefined;
    if (part?.share === 0) return { loss: 0, gradient: this.#gradient.fill(0), share: 0 };
    const feeds = {
      ...this.#inputs(values, part?.feeds ?? batch),
      ...graph.dropouts.feeds(seed, dropoutStep, sizes, part?.rows),
    };
    const gradient = { data: this.#gradient, dims: [this.#gradient.length] };
    const outputs = await session.run(feeds, { gradient });
    return {
      loss: outputs.loss!.data[0]!,
      regularizer: outputs.regularizer?.data[0],
      gradient: this.#gradient,
      share: part?.share ?? 1,
    };
  }

  /** Yields the results for the parts of a step in which all examples depend on each other. See `JointProgram`. */
  differentiateJointly(
    values: Float32Array,
    batches: readonly JointBatch[],
    seed: number,
  ): AsyncGenerator<JointPart> {
    this.#joint ??= new JointProgram(this.parts, this.#options);
    return this.#joint.differentiate(values, batches, seed, this.communicator);
  }

  /** Returns the logits of a batch, row-major, in the head's shape: [batch, labels] for a classifier. */
  async predict(values: Float32Array, batch: Tensors): Promise<Float32Array> {
    return (await this.#evaluate('logits', values, batch)) as Float32Array;
  }

  /** Returns the mean loss of a batch, without dropout. */
  async loss(values: Float32Array, batch: Tensors): Promise<number> {
    return (await this.#evaluate('loss', values, batch))[0]!;
  }

  /** Returns the vectors of the texts of a batch, [batch, width], without dropout. */
  async vectors(values: Float32Array, batch: Tensors): Promise<Float32Array> {
    return (await this.#evaluate('vectors', values, batch)) as Float32Array;
  }

  /** Returns the input of the model's last linear module for a batch, [rows, features], without dropout. */
  async features(values: Float32Array, batch: Tensors): Promise<Float32Array> {
    return (await this.#evaluate('features', values, batch)) as Float32Array;
  }

  release(): Promise<void> {
    return releaseAll([this.#training, this.#joint, ...this.#evaluations.values()]);
  }

  async #evaluate(output: EvaluationOutput, values: Float32Array, batch: Tensors) {
    const { engine, model, tuner } = this.parts;
    const open = async () => engine.open(evaluationGraph(model, tuner, output));
    const session = this.#evaluations.get(output) ?? new OnDemand(open);
    this.#evaluations.set(output, session);
    return (await (await session.get()).run(this.#inputs(values, batch)))[output]!.data;
  }

  #inputs(values: Float32Array, batch: Tensors): Tensors {
    const trained = { data: values, dims: [values.length] };
    return { [TRAINED]: trained, ...inParts(batch, this.parts.model.labelParts) };
  }

  async #openTraining() {
    const { engine, model, tuner } = this.parts;
    const graph = trainingGraph(model.buildLoss, tuner, this.#options);
    // Packed weights are copies. Gradient checkpointing is used to save memory, so it does without them.
    const packed = !this.#options.gradientCheckpointing;
    const session = await engine.open(graph.outputs, { packed });
    return { graph, session, release: () => session.release() };
  }
}
