/** One adapted matrix: its triplets and where they lie in the flat vector of trained values. */
export interface TripletModule {
  /** Path of the adapted linear layer, as in Hugging Face. */
  name: string;
  /** Triplets, the initial rank. */
  rank: number;
  inFeatures: number;
  outFeatures: number;
  /** Where each tensor starts, row-major: lora_A (Q) `[rank, in]`, lora_E (λ) `[rank]`, lora_B (P) `[out, rank]`. */
  offsets: { lora_A: number; lora_E: number; lora_B: number };
}

/** The range [start, end) of the flat vector that holds all tensors of the modules. */
export function spanOf(modules: readonly TripletModule[]): [number, number] {
  const starts = modules.flatMap(({ offsets }) => Object.values(offsets));
  const ends = modules.flatMap(({ rank, inFeatures, outFeatures, offsets }) => [
    offsets.lora_A + rank * inFeatures,
    offsets.lora_E + rank,
    offsets.lora_B + outFeatures * rank,
  ]);
  return [Math.min(...starts), Math.max(...ends)];
}

/** The same module in a vector that begins `by` elements earlier. */
export function shifted(module: TripletModule, by: number): TripletModule {
  const { lora_A, lora_E, lora_B } = module.offsets;
  return { ...module, offsets: { lora_A: lora_A + by, lora_E: lora_E + by, lora_B: lora_B + by } };
}
