import type { BottleneckForm } from '../../tuners/bottleneck/bottleneck-injection.ts';
import type { PackedAdapter } from './packed-adapter.ts';

/** Room for bottleneck adapters of one form. */
export interface BottleneckRoom {
  form: BottleneckForm;
  /** The largest size of a bottleneck. */
  size: number;
}

/** The capacity of a bank's slots, by module path. */
export interface BankShape {
  /** The largest rank of each module. */
  readonly ranks: ReadonlyMap<string, number>;
  /** Number of outputs of linear modules that adapters replace. A head has one output per label. */
  readonly outputs: ReadonlyMap<string, number>;
  /** Modules with biases that adapters train. */
  readonly shifts: ReadonlySet<string>;
  /** Room for the bottlenecks after each sublayer, by path and then by {@link formKey}. */
  readonly bottlenecks: ReadonlyMap<string, ReadonlyMap<string, BottleneckRoom>>;
}

export const EMPTY_SHAPE: BankShape = {
  ranks: new Map(),
  outputs: new Map(),
  shifts: new Set(),
  bottlenecks: new Map(),
};

/** A key that is equal for bottlenecks with the same computation. */
export function formKey({ reads, nonLinearity }: BottleneckForm): string {
  return `${reads} ${nonLinearity}`;
}

/** Extends a shape so that an adapter fits. */
export function withRoom(
  shape: BankShape,
  { factors, linears, shifts, bottlenecks }: PackedAdapter,
): BankShape {
  const ranks = new Map(shape.ranks);
  for (const [path, { rank }] of factors) ranks.set(path, Math.max(rank, ranks.get(path) ?? 0));
  const outputs = new Map(shape.outputs);
  for (const [path, { outFeatures }] of linears)
    outputs.set(path, Math.max(outFeatures, outputs.get(path) ?? 0));
  const rooms = new Map(shape.bottlenecks);
  for (const [path, { form, size }] of bottlenecks) {
    const forms = rooms.get(path);
    const most = Math.max(size, forms?.get(formKey(form))?.size ?? 0);
    rooms.set(path, new Map([...(forms ?? []), [formKey(form), { form, size: most }]]));
  }
  return { ranks, outputs, shifts: new Set([...shape.shifts, ...shifts.keys()]), bottlenecks: rooms };
}

/** Whether an adapter fits into the slots. */
export function hasRoom(shape: BankShape, { factors, linears, shifts, bottlenecks }: PackedAdapter): boolean {
  return (
    [...factors].every(([path, { rank }]) => rank <= (shape.ranks.get(path) ?? 0)) &&
    [...linears].every(([path, { outFeatures }]) => outFeatures <= (shape.outputs.get(path) ?? 0)) &&
    [...shifts.keys()].every((path) => shape.shifts.has(path)) &&
    [...bottlenecks].every(
      ([path, { form, size }]) => size <= (shape.bottlenecks.get(path)?.get(formKey(form))?.size ?? 0),
    )
  );
}
