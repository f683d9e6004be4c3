import type { PackedAdapter } from './packed-adapter.ts';

/** What the slots of a bank have room for, by the paths of modules. */
export interface BankShape {
  /** The largest rank. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Outputs of linear modules that adapters replace: heads have one for each label. */
  readonly outputs: ReadonlyMap<string, number>;
}

export const EMPTY_SHAPE: BankShape = { ranks: new Map(), outputs: new Map() };

/** Room for what a shape has room for and for an adapter. */
export function withRoom(shape: BankShape, { factors, linears }: PackedAdapter): BankShape {
  const ranks = new Map(shape.ranks);
  for (const [path, { rank }] of factors) ranks.set(path, Math.max(rank, ranks.get(path) ?? 0));
  const outputs = new Map(shape.outputs);
  for (const [path, { outFeatures }] of linears)
    outputs.set(path, Math.max(outFeatures, outputs.get(path) ?? 0));
  return { ranks, outputs };
}

/** Whether an adapter fits into the slots. */
export function hasRoom({ ranks, outputs }: BankShape, { factors, linears }: PackedAdapter): boolean {
  return (
    [...factors].every(([path, { rank }]) => rank <= (ranks.get(path) ?? 0)) &&
    [...linears].every(([path, { outFeatures }]) => outFeatures <= (outputs.get(path) ?? 0))
  );
}
