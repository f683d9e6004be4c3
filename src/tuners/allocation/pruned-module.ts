/** One adapted matrix: its triplets and where they lie in the flat vector of trained values. */
export interface TripletModule {
  /** Path of the adapted linear layer, as in Hugging Face. */
  name: string;
  /** Triplets, the initial rank. */
  rank: number;
  inFeatures: number;
  outFeatures: number;
  /** Where each tensor starts, row-major: A (Q) `[rank, in]`, E (λ) `[rank]`, B (P) `[out, rank]`. */
  offsets: { A: number; E: number; B: number };
}

/** The range [start, end) of the flat vector that holds all tensors of the modules. */
export function spanOf(modules: readonly TripletModule[]): [number, number] {
  const starts = modules.flatMap(({ offsets }) => Object.values(offsets));
  const ends = modules.flatMap(({ rank, inFeatures, outFeatures, offsets }) => [
    offsets.A + rank * inFeatures,
    offsets.E + rank,
    offsets.B + outFeatures * rank,
  ]);
  return [Math.min(...starts), Math.max(...ends)];
}

/** The same module in a vector that begins `by` elements earlier. */
export function shifted(module: TripletModule, by: number): TripletModule {
  const { A, E, B } = module.offsets;
  return { ...module, offsets: { A: A + by, E: E + by, B: B + by } };
}
