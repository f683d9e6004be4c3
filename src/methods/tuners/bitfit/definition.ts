import { UserError } from '../../../support/user-error.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { TunableModel } from '../tuner.ts';
import type { WholeParameters } from '../whole-parameters.ts';
import { biasTuner, bitFitKind, storeBiases } from './bitfit-kind.ts';

/** BitFit (Ben Zaken et al., 2022): trains every bias of the model, and the head. */
export const bitFit: MethodDefinition<object> = {
  config: undefined,
  learningRate: 1e-3,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 1e-3 } },
  trains: 'adapter',
  vectors: 5,
  start(model) {
    const tuner = everyBias(model);
    return staticRun(tuner, {
      store: (values, baseModel) => storeBiases(model, tuner.layout, values, baseModel),
    });
  },
  kind: bitFitKind,
  words: { title: 'BitFit', tags: ['bitfit'] },
};

/** Selects the parameters with `bias` in their name, like the code of the paper. */
function everyBias(model: TunableModel): WholeParameters {
  const head = new Set(savedParameters(model, { bias: 'none' }, []).map(({ name }) => name));
  const trained = [...model.parameters].filter(([name]) => name.includes('bias') || head.has(name));
  if (trained.length > head.size) {
    return biasTuner(
      model.head,
      trained.map(([name, shape]) => ({ name, shape })),
    );
  }
  throw new UserError({
    where: 'method: bitfit',
    fault: `needs a model with biases, and layers of ${model.definition.modelType} have none`,
    hint: 'Train an adapter of another method.',
  });
}
