import type { HeadKind } from '../models/model-definition.ts';
import { UserError } from '../support/user-error.ts';
import type { RowHeadKind } from './rows/row-logits.ts';
import type { ServedModel } from './served-model.ts';

export type ServedHeadKind = RowHeadKind | 'CAUSAL_LM' | 'SEQ_2_SEQ_LM';

/** Whether models with such a head are served. */
export function isServedHead(kind: HeadKind): kind is ServedHeadKind {
  return kind !== 'MASKED_LM';
}

/** The model's head. Throws a UserError for one that is not served. */
export function headOf({ trained, name }: ServedModel): ServedHeadKind {
  const { headKind } = trained.parts.model;
  if (isServedHead(headKind)) return headKind;
  throw new UserError({
    where: name,
    expected: 'a model that answers about texts, or writes',
    got: `one of ${headKind}`,
    hint: 'Use adalora predict.',
  });
}
