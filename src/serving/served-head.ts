import type { Served } from '../models/heads/head-definition.ts';
import { headNamed } from '../models/heads/registry.ts';
import { UserError } from '../support/user-error.ts';
import type { ServedModel } from './served-model.ts';

/**
 * Returns how a model is served.
 *
 * @throws UserError for a head that no server supports
 */
export function servedAs({ trained, name }: ServedModel): Served {
  const { headKind } = trained.parts.model;
  const { served } = headNamed(headKind);
  if (served) return served;
  throw new UserError({
    where: name,
    fault: `is a model for ${headKind}; only models that classify, embed or generate are served`,
    hint: 'Use adalora predict.',
  });
}
