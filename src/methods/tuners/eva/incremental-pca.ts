import { topSingular } from '../lora/top-singular.ts';
import { WeightMatrix } from '../lora/weight-matrix.ts';

/**
 * Principal components of rows that arrive in batches (Ross et al., 2008), as in scikit-learn and PEFT. Only the
 * components, the mean and the total variance are kept. Singular vectors are exact; PEFT uses a randomized
 * approximation.
 */
export class IncrementalPca {
  /** Unit vectors [count, width], the strongest first. The largest element of each is positive. */
  components: Float64Array[] = [];
  singularValues: number[] = [];
  /** The share of the total variance along each component. */
  explained: number[] = [];
  #seen = 0;
  #mean: Float64Array;
  /** The sum of squared deviations of all features. */
  #variation = 0;

  constructor(
    readonly count: number,
    readonly width: number,
  ) {
    this.#mean = new Float64Array(width);
  }

  /**
   * Updates the components with a batch.
   *
   * @param rows [rows, width]
   */
  fit(rows: Float32Array): void {
    const { width, count } = this;
    const added = rows.length / width;
    const mean = new Float64Array(width);
    rows.forEach((value, at) => {
      mean[at % width]! += value / added;
    });
    const [before, total] = [this.#seen, this.#seen + added];
    const isFirst = before === 0;
    const kept = isFirst ? 0 : this.components.length;
    // The rows are the kept components, the centred batch, and the shift of the mean.
    const height = kept + added + Number(!isFirst);
    const matrix = new Float32Array(height * width);
    for (let k = 0; k < kept; k++)
      for (let j = 0; j < width; j++)
        matrix[k * width + j] = this.singularValues[k]! * this.components[k]![j]!;
    for (let at = 0; at < rows.length; at++) {
      const centred = rows[at]! - mean[at % width]!;
      matrix[kept * width + at] = centred;
      this.#variation += centred * centred;
    }
    for (let j = 0; j < width; j++) {
      const shift = this.#mean[j]! - mean[j]!;
      if (!isFirst) matrix[(kept + added) * width + j] = Math.sqrt((before / total) * added) * shift;
      this.#variation += ((before * added) / total) * shift * shift;
      this.#mean[j] = (before * this.#mean[j]! + added * mean[j]!) / total;
    }
    this.#seen = total;
    const stacked = new WeightMatrix({ path: '', outFeatures: height, inFeatures: width }, matrix);
    const triplets = topSingular(stacked, Math.min(count, height, width));
    this.components = triplets.map(({ v }) => turned(v));
    this.singularValues = triplets.map(({ strength }) => strength);
    this.explained = this.singularValues.map((strength) => strength ** 2 / this.#variation);
  }
}

/** Returns the vector, or its negative if its largest element is negative. */
function turned(vector: Float64Array): Float64Array {
  const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? vector.map((value) => -value) : vector;
}
