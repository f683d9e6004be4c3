import { classLoss } from '../../program/objectives/sequence-loss.ts';
import { sequenceModel } from '../../program/objectives/sequence-model.ts';
import type { UnknownTrained } from '../task-definition.ts';

/** The number of outputs of an adapter's head for text classes. Undefined without such a head. */
export function classOutputs({ definition, outputsOf }: UnknownTrained): number | undefined {
  if (!definition.heads.SEQ_CLS) return undefined;
  return outputsOf((family, config) => sequenceModel(family, config, classLoss));
}
