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
