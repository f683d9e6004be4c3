import { UserError } from '../../support/user-error.ts';
import type { LowRankModule } from './factors.ts';

/**
 * Checks that each module has enough features. It cannot have more orthonormal vectors than features.
 *
 * @param where the setting that needs `r` orthonormal vectors
 * @throws UserError naming the first module that is too narrow
 */
export function refuseTooManyVectors(modules: readonly LowRankModule[], where: string): void {
  const narrow = modules.find(
    ({ rank, inFeatures, outFeatures }) => rank > Math.min(inFeatures, outFeatures),
  );
  if (!narrow) return;
  throw new UserError({
    where,
    fault: `must start at rank ${Math.min(narrow.inFeatures, narrow.outFeatures)} at most, the features of ${narrow.path}, got ${narrow.rank}`,
  });
}
