import { classLoss } from '../../objectives/sequence-loss.ts';
import { sequenceModel } from '../../objectives/sequence-model.ts';
import type { UnknownTrained } from '../task-definition.ts';

/** Outputs of the head for classes of texts that an adapter brings; undefined if it brings none. */
export function classOutputs({ definition, outputsOf }: UnknownTrained): number | undefined {
  if (!definition.heads.SEQ_CLS) return undefined;
  return outputsOf((family, config) => sequenceModel(family, config, classLoss));
}
