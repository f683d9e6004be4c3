import type { Head } from '../../models/model-definition.ts';
import { elementCount } from '../../support/element-count.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { WholeParameters } from '../whole-parameters.ts';

/** Trains these parameters. Those outside the head are the adapter, each assigned to the module that it belongs to. */
export function biasTuner(
  head: Pick<Head, 'modules'>,
  parameters: readonly TrainedParameter[],
): WholeParameters {
  const sites = parameters
    .filter(({ name }) => !head.modules.some((module) => name.startsWith(`${module}.`)))
    .map(({ name, shape }) => ({ path: name.replace(/\.[^.]*$/, ''), parameters: elementCount(shape) }));
  return new WholeParameters(parameters, sites);
}
