/** The probabilities of scores; all 0 if every score is -Infinity. */
export function probabilitiesOf(scores: Float32Array): Float32Array {
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
