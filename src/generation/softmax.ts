/** Probabilities of scores; all 0 where every score is -Infinity. */
export function softmax(scores: Float32Array): Float32Array {
  const { greatest, sum } = exponentials(scores);
  if (greatest === Number.NEGATIVE_INFINITY) return new Float32Array(scores.length);
  return scores.map((score) => Math.exp(score - greatest) / sum);
}

/** Logarithms of the probabilities, in place of the scores. */
export function logSoftmax(scores: Float32Array): void {
  const { greatest, sum } = exponentials(scores);
  const shift = greatest + Math.log(sum);
  for (let i = 0; i < scores.length; i++) scores[i] -= shift;
}

function exponentials(scores: Float32Array): { greatest: number; sum: number } {
  const greatest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = scores.reduce((total, score) => total + Math.exp(score - greatest), 0);
  return { greatest, sum };
}
