/**
 * Returns the elements of `vector` at `indices`, in that order. The index -1 gives 0. It moves values and moments when
 * the layout of a vector changes.
 */
export function gather<Vector extends Float32Array | Int32Array>(
  vector: Vector,
  indices: Int32Array,
): Vector {
  const result = new (vector.constructor as new (length: number) => Vector)(indices.length);
  for (let i = 0; i < indices.length; i++) result[i] = indices[i]! < 0 ? 0 : vector[indices[i]!]!;
  return result;
}
