import type { TrainedParameter } from '../parameter-layout.ts';
import { factorName, type LowRankModule } from './factors.ts';

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
