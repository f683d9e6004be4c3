import { fitLinear, type LinearLoss, linearScores, type SparseRows } from './linear-model.ts';

/** Maximum number of pictures to fit, so that a fit takes a few seconds. If there are more, evenly spaced ones are used. */
const MAX_FITTED = 2000;

/** Small training pictures, all of one size. */
interface LearntPictures {
  pictures: readonly Uint8Array[];
  /** As in `fitLinear`. */
  targets: ArrayLike<number>;
  /** Numbers predicted per picture. */
  outputs: number;
  loss: LinearLoss;
}

/**
 * Fits a linear model of the bytes of small pictures, and applies it to other pictures.
 *
 * @returns [pictures, outputs] for `others`
 */
export async function linearPixels(
  { pictures, targets, outputs, loss }: LearntPictures,
  others: readonly Uint8Array[],
): Promise<Float64Array> {
  const count = Math.min(pictures.length, MAX_FITTED);
  const used = Array.from({ length: count }, (_, i) => Math.floor((i * pictures.length) / count));
  const width = targets.length / pictures.length;
  const wanted = used.flatMap((i) => Array.from({ length: width }, (_, k) => targets[i * width + k]!));
  const learnt = rowsOf(used.map((i) => pictures[i]!));
  const features = pictures[0]!.length;
  const weights = await fitLinear(learnt, features, wanted, outputs, loss);
  return linearScores(rowsOf(others), weights, outputs);
}

function rowsOf(pictures: readonly Uint8Array[]): SparseRows {
  const width = pictures[0]?.length ?? 0;
  return {
    starts: Int32Array.from({ length: pictures.length + 1 }, (_, i) => i * width),
    columns: Int32Array.from({ length: pictures.length * width }, (_, i) => i % width),
    values: Float64Array.from(pictures.flatMap((picture) => Array.from(picture, (byte) => byte / 255 - 0.5))),
  };
}
