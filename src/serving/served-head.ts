import type { Served } from '../models/heads/head-definition.ts';
import { headNamed } from '../models/heads/registry.ts';
import { UserError } from '../support/user-error.ts';
import type { ServedModel } from './served-model.ts';

/** How a model is served. Throws a UserError for a head that no server supports. */
export function servedAs({ trained, name }: ServedModel): Served {
  const { headKind } = trained.parts.model;
  const { served } = headNamed(headKind);
  if (served) return served;
  throw new UserError({
    where: name,
    expected: 'a model that classifies, embeds or generates',
    got: `a model for ${headKind}`,
    hint: 'Use adalora predict.',
  });
}
