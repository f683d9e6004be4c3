import { symbolsOf } from '../graph/symbols-of.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import type { Session, Tensors } from '../runtime/session.ts';
import type { Tuner } from '../tuners/tuner.ts';
import type { Engine } from './engine.ts';
import {
  evaluationGraph,
  TRAINED,
  type TrainingGraph,
  type TrainingOptions,
  trainingGraph,
} from './training-graph.ts';

/** What a micro-batch gives. */
export interface Objective {
  /** The task's mean loss. */
  loss: number;
  /** R, where the method has one. */
  regularizer?: number;
  /** Of loss + γ R. The memory is reused by the next call. */
  gradient: Float32Array;
}

/** What gives logits of batches. */
export type Predictor = Pick<Program, 'predict'>;

/** A model under a tuner, loaded: gradients for training, logits and loss for evaluation. Sessions open when first used. */
export class Program {
  /** What it is made of, for other sessions of the same network. */
  readonly parts: { engine: Engine; model: TaskModel; tuner: Tuner };
  readonly #options: TrainingOptions;
  readonly #gradient: Float32Array;
  #training: Promise<{ session: Session; graph: TrainingGraph }> | undefined;
  readonly #evaluations = new Map<'logits' | 'loss', Promise<Session>>();

  constructor(engine: Engine, model: TaskModel, tuner: Tuner, options: Omit<TrainingOptions, 'masks'> = {}) {
    this.parts = { engine, model, tuner };
    this.#options = { ...options, masks: engine.masks };
    this.#gradient = new Float32Array(tuner.layout.length);
  }

  /** Opens the training session now, while nothing waits for it. */
  async prepare(): Promise<void> {
    await this.#openTraining();
  }

  /**
   * @param batch the inputs of the model and of its loss
   * @param dropoutStep names the micro-batch: equal numbers draw equal masks
   */
  async differentiate(
    values: Float32Array,
    batch: Tensors,
    seed: number,
    dropoutStep: number,
  ): Promise<Objective> {
    const { session, graph } = await this.#openTraining();
    const sizes = symbolsOf(Object.values(graph.outputs), batch);
    const feeds = { ...withTrained(values, batch), ...graph.dropouts.feeds(seed, dropoutStep, sizes) };
    const gradient = { data: this.#gradient, dims: [this.#gradient.length] };
    const outputs = await session.run(feeds, { gradient });
    return {
      loss: outputs.loss.data[0],
      regularizer: outputs.regularizer?.data[0],
      gradient: this.#gradient,
    };
  }

  /** Logits of a batch, row-major; the shape is the head's: [batch, labels] of a classifier. */
  async predict(values: Float32Array, batch: Tensors): Promise<Float32Array> {
    return (await this.#evaluate('logits', values, batch)) as Float32Array;
  }

  /** The mean loss of a batch, without dropout. */
  async loss(values: Float32Array, batch: Tensors): Promise<number> {
    return (await this.#evaluate('loss', values, batch))[0];
  }

  async release(): Promise<void> {
    await (await this.#training)?.session.release();
    for (const session of this.#evaluations.values()) await (await session).release();
  }

  async #evaluate(output: 'logits' | 'loss', values: Float32Array, batch: Tensors) {
    const { engine, model, tuner } = this.parts;
    const session = this.#evaluations.get(output) ?? engine.open(evaluationGraph(model, tuner, output));
    this.#evaluations.set(output, session);
    return (await (await session).run(withTrained(values, batch)))[output].data;
  }

  #openTraining() {
    this.#training ??= (async () => {
      const { engine, model, tuner } = this.parts;
      const graph = trainingGraph(model.buildLoss, tuner, this.#options);
      // Packed weights are copies, and gradient checkpointing is there to save memory.
      const packed = !this.#options.gradientCheckpointing;
      return { graph, session: await engine.open(graph.outputs, { packed }) };
    })();
    return this.#training;
  }
}

function withTrained(values: Float32Array, batch: Tensors): Tensors {
  return { [TRAINED]: { data: values, dims: [values.length] }, ...batch };
}
