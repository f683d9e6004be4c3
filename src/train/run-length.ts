/** The length of a run. */
export interface RunLength {
  stepsPerEpoch: number;
  /** Number of optimizer steps in the whole run. */
  totalSteps: number;
}

/**
 * The number of steps of a run, as Hugging Face's trainer counts them: the last, smaller group of micro-batches of an
 * epoch is a separate step.
 *
 * @param maxSteps replaces the epochs if above 0
 */
export function runLength(
  examples: number,
  batchSize: number,
  accumulation: number,
  epochs: number,
  maxSteps: number,
): RunLength {
  const stepsPerEpoch = Math.ceil(Math.ceil(examples / batchSize) / accumulation);
  return { stepsPerEpoch, totalSteps: maxSteps > 0 ? maxSteps : Math.ceil(stepsPerEpoch * epochs) };
}
