/** Directions for walking back through the table of a longest common subsequence. */
const [BOTH, FIRST, SECOND] = [0, 1, 2];

/**
 * A longest common subsequence as positions in `first`. If there are several, returns the one of ROUGE's Python package: from
 * the end, with a step back in `first` if both directions are equal.
 */
export function commonSubsequence(first: readonly string[], second: readonly string[]): number[] {
  const width = second.length;
  const steps = new Uint8Array(first.length * width);
  let above = new Int32Array(width + 1);
  let row = new Int32Array(width + 1);
  for (let i = 0; i < first.length; i++) {
    for (let j = 0; j < width; j++) {
      if (first[i] === second[j]) {
        row[j + 1] = above[j] + 1;
        continue;
      }
      const isSecond = row[j] > above[j + 1];
      row[j + 1] = isSecond ? row[j] : above[j + 1];
      steps[i * width + j] = isSecond ? SECOND : FIRST;
    }
    [above, row] = [row, above];
  }
  const places: number[] = [];
  let [i, j] = [first.length - 1, width - 1];
  while (i >= 0 && j >= 0) {
    const step = steps[i * width + j];
    if (step === BOTH) places.push(i);
    if (step !== SECOND) i--;
    if (step !== FIRST) j--;
  }
  return places.reverse();
}
