import type { Tuner } from '../../methods/tuners/tuner.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { InvalidFile } from '../../support/user-error.ts';

/**
 * Checks that every parameter is in the adapter or the base model.
 *
 * @throws UserError for a parameter that would have random values
 */
export function checkHead({ initialised }: LoadedModel, { tuner }: { tuner: Tuner }, where: string): void {
  const untrained = initialised.filter((name) => !tuner.layout.find(name));
  if (untrained.length === 0) return;
  throw new InvalidFile({
    where,
    fault: `lacks the trained ${untrained.join(', ')}, and so does the base model`,
  });
}
