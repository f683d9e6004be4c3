import { type ExampleLengths, paddedTokens, planEpoch } from '../../../input/text/batches.ts';
import type { RunConfig } from '../../../training/run/config/run-config.ts';

/** Number of epochs that are searched. Later epochs have similar batches. */
const EPOCHS_LOOKED_AT = 5;

/** The examples of the largest batch that the run will train on. */
export function largestBatch({ training, seed }: RunConfig, lengths: ExampleLengths): Int32Array {
  let largest: Int32Array = new Int32Array();
  let most = 0;
  const { max_steps, num_train_epochs, gradient_accumulation_steps } = training;
  const isByEpochs = max_steps <= 0;
  const epochs = isByEpochs ? Math.ceil(Math.min(EPOCHS_LOOKED_AT, num_train_epochs)) : EPOCHS_LOOKED_AT;
  let left = isByEpochs ? Number.POSITIVE_INFINITY : max_steps * gradient_accumulation_steps;
  for (let epoch = 0; epoch < epochs && left > 0; epoch++) {
    const batches = planEpoch({
      ...lengths,
      batchSize: training.per_device_train_batch_size,
      seed,
      epoch,
      groupByLength: training.group_by_length,
    });
    for (const examples of batches.slice(0, left)) {
      const size = paddedTokens(examples, lengths.lengths);
      if (size > most) [most, largest] = [size, examples];
    }
    left -= batches.length;
  }
  return largest;
}
