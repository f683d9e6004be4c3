import type { Head } from '../../models/model-definition.ts';
import { elementCount } from '../../support/element-count.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { WholeParameters } from '../whole-parameters.ts';

/**
 * Builds a tuner that trains these parameters. Parameters outside the head are the adapter, and each counts for its
 * module.
 */
export function biasTuner(
  head: Pick<Head, 'modules'>,
  parameters: readonly TrainedParameter[],
): WholeParameters {
  const sites = parameters
    .filter(({ name }) => !head.modules.some((module) => name.startsWith(`${module}.`)))
    .map(({ name, shape }) => ({ path: name.replace(/\.[^.]*$/, ''), parameters: elementCount(shape) }));
  return new WholeParameters(parameters, sites);
}
