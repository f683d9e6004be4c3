import type { LinearModule } from '../../../models/nn/network.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';

/** An adapted linear layer: y += scale · x Aᵀ [diag(E)] Bᵀ with A [rank, in], E [rank], B [out, rank]. */
export interface LowRankModule extends LinearModule {
  rank: number;
  scale: number;
}

/** A module's factors, named as in formulas. E is AdaLoRA's λ, M is DoRA's magnitude [out]. */
export type Factor = 'A' | 'E' | 'B' | 'M';

/** PEFT's names of the factors. */
const NAMES = { A: 'lora_A', E: 'lora_E', B: 'lora_B', M: 'lora_magnitude_vector' } as const;
const FACTORS = Object.keys(NAMES) as Factor[];
/** The names that factors have in files, below a module's path. */
export const FACTOR_PARTS = [NAMES.A, NAMES.E, NAMES.B, NAMES.M] as const;

/** The name of a module's factor among the trained parameters. */
export function factorName(path: string, factor: Factor): string {
  return `${path}.${NAMES[factor]}`;
}

/** The module and factor of a trained parameter. Undefined for parameters of the model. */
export function parseFactor(name: string): { path: string; factor: Factor } | undefined {
  const factor = FACTORS.find((factor) => name.endsWith(`.${NAMES[factor]}`));
  return factor && { path: name.slice(0, -NAMES[factor].length - 1), factor };
}

/** A module's factors inside the flat vector `values`, as views. */
export function factorsIn(layout: ParameterLayout, values: Float32Array, path: string) {
  const read = (factor: Factor) => {
    const name = factorName(path, factor);
    return layout.find(name) && layout.read(values, name);
  };
  return { A: read('A')!, E: read('E'), B: read('B')! };
}

/** Suffix of the names of frozen copies of the initial factors. */
export const AT_START = '.start';

/** Rank of each module, by its path. */
export function listRanks(modules: readonly LowRankModule[]): Record<string, number> {
  return Object.fromEntries(modules.map(({ path, rank }) => [path, rank]));
}

/** Factors of one shape. They are adjacent in the vector, so that a regularizer reads them as one tensor. */
export interface FactorGroup {
  /** Which vectors should be orthonormal: the rows of A (Q), or the columns of B (P). */
  side: 'rows' | 'columns';
  members: TrainedParameter[];
}

/** The factors A and B of some modules, grouped by shape. Groups are in the order of their first members. */
export function factorGroups(modules: readonly LowRankModule[]): FactorGroup[] {
  const groups = new Map<string, FactorGroup>();
  const put = (side: FactorGroup['side'], name: string, shape: readonly number[]) => {
    const key = `${side} ${shape}`;
    const group = groups.get(key) ?? { side, members: [] };
    group.members.push({ name, shape });
    groups.set(key, group);
  };
  for (const { path, rank, inFeatures } of modules) put('rows', factorName(path, 'A'), [rank, inFeatures]);
  for (const { path, rank, outFeatures } of modules)
    put('columns', factorName(path, 'B'), [outFeatures, rank]);
  return [...groups.values()];
}

/** The rows of a matrix [rows, width], in 64 bits. */
export function matrixRows(matrix: Float32Array, rows: number): Float64Array[] {
  const width = matrix.length / rows;
  return Array.from({ length: rows }, (_, i) =>
    Float64Array.from(matrix.subarray(i * width, (i + 1) * width)),
  );
}

/** The columns of a matrix [height, columns], in 64 bits. */
export function selectColumns(matrix: Float32Array, columns: number): Float64Array[] {
  const length = matrix.length / columns;
  return Array.from({ length: columns }, (_, i) =>
    Float64Array.from({ length }, (_, j) => matrix[j * columns + i]!),
  );
}

/** Sets a column of a matrix [height, columns]. */
export function setColumn(matrix: Float32Array, columns: number, i: number, column: ArrayLike<number>): void {
  for (let j = 0; j < column.length; j++) matrix[j * columns + i] = column[j]!;
}
