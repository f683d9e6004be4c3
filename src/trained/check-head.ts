import type { LoadedModel } from '../program/model-weights.ts';
import { UserError } from '../support/user-error.ts';
import type { Tuner } from '../tuners/tuner.ts';

/** Throws a UserError if a parameter is neither in the adapter nor in the base model: it would be random. */
export function checkHead({ initialised }: LoadedModel, { tuner }: { tuner: Tuner }, where: string): void {
  const untrained = initialised.filter((name) => !tuner.layout.find(name));
  if (untrained.length === 0) return;
  throw new UserError({
    where,
    fault: `lacks the trained ${untrained.join(', ')}, and so does the base model`,
  });
}
