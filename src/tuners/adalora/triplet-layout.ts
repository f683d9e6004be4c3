import { type FactorGroup, factorGroups } from '../low-rank/factor-groups.ts';
import { factorName, factorOf, type LowRankModule } from '../low-rank/factors.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';

/**
 * The layout of triplets in the vector. Factors A and B are grouped by shape, in order of first occurrence. All A of
 * one width form a stack. Their λ form a stack in the same order, so that one product computes λ A for all of them.
 */
export function tripletLayout(
  modules: readonly LowRankModule[],
  saved: readonly TrainedParameter[],
): { layout: ParameterLayout; groups: FactorGroup[] } {
  const groups = factorGroups(modules.filter(({ rank }) => rank > 0));
  const rows = groups.filter(({ side }) => side === 'rows');
  const columns = groups.filter(({ side }) => side === 'columns');
  const stacks = [...new Set(rows.map(widthOf))].map((width) =>
    rows.filter((group) => widthOf(group) === width),
  );
  const ofA = stacks.map((own) => own.flatMap(({ members }) => members));
  const empty = modules.filter(({ rank }) => rank === 0);
  const layout = new ParameterLayout([
    ...ofA,
    ...columns.map(({ members }) => members),
    ...factorGroups(empty).flatMap(({ members }) => members),
    ...ofA.map((members) => members.map(diagonalOf)),
    ...empty.map(({ path }) => ({ name: factorName(path, 'E'), shape: [0] })),
    ...saved,
  ]);
  return { layout, groups: [...stacks.flat(), ...columns] };
}

function widthOf({ members }: FactorGroup): number {
  return members[0]!.shape[1]!;
}

/** The λ of the triplets in a factor A. */
function diagonalOf({ name, shape: [rank] }: TrainedParameter): TrainedParameter {
  return { name: factorName(factorOf(name)!.path, 'E'), shape: [rank!] };
}
