/** The probabilities of scores; all 0 if every score is -Infinity. */
export function computeProbabilities(scores: Float32Array): Float32Array {
  const probabilities = new Float32Array(scores.length);
  const greatest = maximum(scores);
  if (greatest === Number.NEGATIVE_INFINITY) return probabilities;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    // After a filter, most tokens are banned, and skipping them avoids slow exponentials.
    if (scores[i] === Number.NEGATIVE_INFINITY) continue;
    const exponential = Math.exp(scores[i]! - greatest);
    probabilities[i] = exponential;
    sum += exponential;
  }
  for (let i = 0; i < scores.length; i++) probabilities[i]! /= sum;
  return probabilities;
}

/** Replaces scores by log probabilities. */
export function logSoftmax(scores: Float32Array): void {
  const greatest = maximum(scores);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - greatest);
  const shift = greatest + Math.log(sum);
  for (let i = 0; i < scores.length; i++) scores[i]! -= shift;
}

function maximum(scores: Float32Array): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > greatest) greatest = scores[i]!;
  return greatest;
}

/**
 * Draws an index with a probability proportional to its weight. A uniform number in [0, 1) selects the index.
 * Returns -1 if all weights are 0.
 */
export function draw(weights: Float32Array, uniform: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]!;
  let rest = uniform * sum;
  let last = -1;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    rest -= weights[i]!;
    last = i;
    if (rest < 0) break;
  }
  return last;
}

/**
 * Draws as many different indices as there are uniform numbers, by the softmax of the scores. Returns them by
 * descending score. If too few indices have a positive probability, the best of the others are added.
 */
export function drawDistinct(scores: Float32Array, uniforms: readonly number[]): Int32Array {
  const weights = computeProbabilities(scores);
  const drawn = new Set<number>();
  for (const uniform of uniforms) {
    const index = draw(weights, uniform);
    if (index < 0) break;
    drawn.add(index);
    weights[index] = 0;
  }
  for (const index of topIndices(scores, uniforms.length)) {
    if (drawn.size < uniforms.length) drawn.add(index);
  }
  return Int32Array.from(drawn).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/**
 * Indices of the `count` largest values, the largest first. Equal values are in the order of their indices.
 * If there are fewer values, all are returned.
 */
export function topIndices(values: Float32Array, count: number): Int32Array {
  const indices = new Int32Array(Math.min(count, values.length));
  let filled = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (filled === indices.length && !(value > values[indices[filled - 1]!]!)) continue;
    let place = filled < indices.length ? filled++ : filled - 1;
    for (; place > 0 && value > values[indices[place - 1]!]!; place--) indices[place] = indices[place - 1]!;
    indices[place] = i;
  }
  return indices;
}
