import { roundHalfEven } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';
import { dot } from '../low-rank/orthonormal.ts';
import type { Measured } from '../measured/measured-run.ts';
import type { InputsOf } from '../method-run.ts';
import type { EvaConfig } from './config.ts';
import { IncrementalPca } from './incremental-pca.ts';
import { rankDistribution, type SharedModule } from './rank-distribution.ts';

/** A module, with the rank that it contributes to the budget. */
interface Contributor {
  path: string;
  rank: number;
}

/** Modules that read the same rows, and the principal components of those rows. */
interface Group {
  paths: readonly string[];
  pca: IncrementalPca;
  /** For each component, whether its cosine to its previous value is at least `tau`. */
  converged: boolean[];
  isDone: boolean;
}

/**
 * Computes ranks and initial A of EVA (Paischer et al., 2024, arXiv 2410.07170) as PEFT does: incremental PCA of the
 * rows that each module reads, until the directions of all assigned ranks have converged.
 */
export async function measureInputs(
  modules: readonly Contributor[],
  { rho, tau, whiten, max_batches: most }: Pick<EvaConfig, 'rho' | 'tau' | 'whiten' | 'max_batches'>,
  inputsOf: InputsOf,
): Promise<Measured> {
  const budget = modules.reduce((sum, { rank }) => sum + rank, 0);
  const rankOf = new Map(modules.map(({ path, rank }) => [path, rank]));
  let groups: Group[] | undefined;
  let ranks = new Map<string, number>();
  let batches = 0;
  for await (const inputs of inputsOf(modules.map(({ path }) => path))) {
    groups ??= inputs.map(({ paths, width }) => {
      const count = Math.max(...paths.map((path) => roundHalfEven(rankOf.get(path)! * rho)));
      for (const path of paths) ranks.set(path, count);
      return {
        paths,
        pca: new IncrementalPca(count, width),
        converged: new Array(count).fill(false),
        isDone: false,
      };
    });
    // A group is done when the directions of all its current ranks have converged.
    for (const group of groups) group.isDone = isConverged(group, ranks);
    if (groups.every(({ isDone }) => isDone)) break;
    if (batches++ === most) throw tooManyBatches(most);
    groups.forEach((group, i) => {
      if (!group.isDone) advance(group, inputs[i]!.rows, tau);
    });
    if (groups.some(({ pca }) => pca.components.length === 0)) continue;
    ranks = rankDistribution(sharing(groups, modules), explainedIn(groups), budget);
  }
  const groupOf = new Map(groups!.flatMap((group) => group.paths.map((path) => [path, group] as const)));
  return {
    ranks: modules.map(({ path }) => ranks.get(path)!),
    scores: modules.map(({ path }) => groupOf.get(path)!.pca.explained),
    factors: modules.map(({ path }) => {
      const { components, singularValues } = groupOf.get(path)!.pca;
      const rows = components
        .slice(0, ranks.get(path))
        .map((row, k) => (whiten ? row.map((value) => value / Math.sqrt(singularValues[k]!)) : row));
      return { A: rows.flatMap((row) => [...row]) };
    }),
  };
}

function advance(group: Group, rows: Float32Array, tau: number): void {
  const { pca } = group;
  // A batch with fewer rows than components is skipped.
  if (rows.length / pca.width < pca.count) return;
  const before = pca.components;
  pca.fit(rows);
  if (before.length > 0) group.converged = pca.components.map((now, k) => dot(now, before[k]!) >= tau);
}

/**
 * Whether the components of a group have converged. As in PEFT, the rank of its first module decides, which is the
 * largest.
 */
function isConverged({ paths: [leader], converged }: Group, ranks: ReadonlyMap<string, number>): boolean {
  return converged.slice(0, ranks.get(leader!)).every(Boolean);
}

function sharing(groups: readonly Group[], modules: readonly Contributor[]): SharedModule[] {
  const leaderOf = new Map(groups.flatMap(({ paths }) => paths.map((path) => [path, paths[0]] as const)));
  const all = modules.map(({ path }) => ({ path, leader: leaderOf.get(path)! }));
  const leads = ({ path, leader }: SharedModule) => path === leader;
  return [...all.filter(leads), ...all.filter((one) => !leads(one))];
}

function explainedIn(groups: readonly Group[]): Map<string, readonly number[]> {
  return new Map(groups.map(({ paths: [leader], pca }) => [leader!, pca.explained]));
}

function tooManyBatches(most: number): UserError {
  return new UserError({
    where: 'eva',
    fault: `did not converge in ${most} batches: the principal directions of the inputs still change`,
    hint: 'Raise eva.max_batches, or lower eva.tau or eva.r.',
  });
}
