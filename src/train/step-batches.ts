import type { Tensors } from '../runtime/session.ts';
import { modelFeeds } from '../tasks/model-inputs.ts';
import { labelFeed } from '../tasks/sequence-loss.ts';
import { planEpoch } from '../text/batches.ts';
import { collate } from '../text/collate.ts';
import type { EncodedSet } from './encoded-set.ts';

/** One of the batches that make an optimizer step. */
export interface MicroBatch {
  /** Inputs of the model and of its loss. */
  feeds: Tensors;
  examples: number;
  /** Its share of the step's examples. */
  weight: number;
  /** Counts micro-batches over the whole run: what its dropout masks are drawn by. */
  number: number;
}

export interface StepBatchesSettings {
  seed: number;
  batchSize: number;
  /** Micro-batches a step. */
  accumulation: number;
  stepsPerEpoch: number;
  groupByLength: boolean;
}

/** The data of each step, which (seed, step) alone decide. */
export class StepBatches {
  readonly #train: EncodedSet;
  readonly #padId: number;
  readonly #settings: StepBatchesSettings;
  #plan: { epoch: number; batches: Int32Array[] } | undefined;

  constructor(train: EncodedSet, padId: number, settings: StepBatchesSettings) {
    this.#train = train;
    this.#padId = padId;
    this.#settings = settings;
  }

  /** The micro-batches of a step, counted from 0. */
  of(step: number): MicroBatch[] {
    const { accumulation, stepsPerEpoch } = this.#settings;
    const first = (step % stepsPerEpoch) * accumulation;
    const batches = this.#epoch(Math.floor(step / stepsPerEpoch)).slice(first, first + accumulation);
    const { encodings, targets } = this.#train;
    const all = batches.reduce((sum, { length }) => sum + length, 0);
    return batches.map((examples, i) => ({
      feeds: {
        ...modelFeeds(
          collate(
            Array.from(examples, (example) => encodings[example]),
            this.#padId,
          ),
        ),
        ...labelFeed(targets, examples, encodings.length),
      },
      examples: examples.length,
      weight: examples.length / all,
      number: step * accumulation + i,
    }));
  }

  #epoch(epoch: number): Int32Array[] {
    if (this.#plan?.epoch !== epoch) {
      const batches = planEpoch({ ...this.#settings, lengths: this.#train.lengths, epoch });
      this.#plan = { epoch, batches };
    }
    return this.#plan.batches;
  }
}
