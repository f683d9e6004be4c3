/** The elements of `vector` at `indices`, in that order. Values and moments follow this way when a vector shrinks. */
export function gather(vector: Float32Array, indices: Int32Array): Float32Array {
  const result = new Float32Array(indices.length);
  for (let i = 0; i < indices.length; i++) result[i] = vector[indices[i]];
  return result;
}
