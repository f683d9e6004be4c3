/** The rank of each adapted module of an adapter, from its tensors by the names of PEFT's file. */
export function adapterRanks(
  tensors: ReadonlyMap<string, { shape: readonly number[] }>,
): Record<string, number> {
  const ranks: Record<string, number> = {};
  for (const [name, { shape }] of tensors) {
    const module = /^base_model\.model\.(.+)\.lora_A(?:\.weight)?$/.exec(name)?.[1];
    if (module !== undefined) ranks[module] = shape[0];
  }
  return ranks;
}
