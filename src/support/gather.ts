/**
 * Returns the elements of `vector` at `indices`, in that order. The index -1 gives 0. It moves values and moments when
 * the layout of a vector changes.
 */
export function gather(vector: Float32Array, indices: Int32Array): Float32Array {
  const result = new Float32Array(indices.length);
  for (let i = 0; i < indices.length; i++) result[i] = indices[i]! < 0 ? 0 : vector[indices[i]!]!;
  return result;
}
