import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { savedParameters } from '../saved-parameters.ts';
import { WholeParameters } from '../whole-parameters.ts';
import { bitFitKind, storeBiases } from './bitfit-kind.ts';

/** BitFit (Ben Zaken et al., 2022): every bias of the model is trained, and the head. */
export const bitFit: MethodDefinition<object> = {
  config: undefined,
  learningRate: 1e-3,
  trains: 'adapter',
  vectors: 5,
  start(model) {
    const tuner = new WholeParameters(savedParameters(model, { bias: 'all' }, []));
    return staticRun(tuner, {
      store: (values, baseModel) => storeBiases(model, tuner.layout, values, baseModel),
    });
  },
  kind: bitFitKind,
  words: { title: 'BitFit', tags: ['bitfit'] },
};
