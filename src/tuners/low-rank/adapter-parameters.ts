import type { LowRankModule } from '../tuner.ts';

/** Parameters of the modules' factors, as the paper counts them: without λ. */
export function adapterParameters(modules: readonly LowRankModule[]): number {
  return modules.reduce(
    (sum, { rank, inFeatures, outFeatures }) => sum + rank * (inFeatures + outFeatures),
    0,
  );
}
