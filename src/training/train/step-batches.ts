import type { Tensors } from '../../engine/runtime/session.ts';
import { paddedTokens, planEpoch } from '../../input/text/batches.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { addUp } from '../../support/numbers.ts';

/** One of the batches of an optimizer step. */
export interface MicroBatch {
  /** Inputs of the model and of its loss. */
  feeds: Tensors;
  examples: number;
  /** Number of its tokens, including padding. */
  tokens: number;
  /** Its share of the step's mean loss. */
  weight: number;
  /** See `ExampleBatch.chunk`. */
  chunk?: number;
  /** Index of the micro-batch in the whole run. It determines the dropout masks. */
  number: number;
}

export interface StepBatchesSettings {
  seed: number;
  batchSize: number;
  /** Number of micro-batches per step. */
  accumulation: number;
  stepsPerEpoch: number;
  groupByLength: boolean;
}

/** The batches of each step. They depend only on (seed, step). */
export class StepBatches {
  readonly #train: ExampleSet;
  readonly #settings: StepBatchesSettings;
  #plan: { epoch: number; batches: Int32Array[] } | undefined;

  constructor(train: ExampleSet, settings: StepBatchesSettings) {
    this.#train = train;
    this.#settings = settings;
  }

  /** The micro-batches of a step, counted from 0. */
  of(step: number): MicroBatch[] {
    const { accumulation, stepsPerEpoch } = this.#settings;
    const first = (step % stepsPerEpoch) * accumulation;
    const planned = this.#epoch(Math.floor(step / stepsPerEpoch)).slice(first, first + accumulation);
    const batches = planned.map((examples, i) => {
      const number = step * accumulation + i;
      const tokens = paddedTokens(examples, this.#train.lengths);
      return { ...this.#train.batch(examples, number), examples: examples.length, tokens, number };
    });
    const all = addUp(batches, ({ weight }) => weight);
    return batches.map((batch) => ({ ...batch, weight: batch.weight / all }));
  }

  #epoch(epoch: number): Int32Array[] {
    if (this.#plan?.epoch !== epoch) {
      const { lengths, targetLengths } = this.#train;
      const batches = planEpoch({ ...this.#settings, lengths, targetLengths, epoch });
      this.#plan = { epoch, batches };
    }
    return this.#plan.batches;
  }
}
