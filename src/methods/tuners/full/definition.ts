import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import type { TunableModel } from '../tuner.ts';
import { WholeParameters } from '../whole-parameters.ts';

/** Full fine-tuning: trains every parameter of the model. The result is a model. */
export const full: MethodDefinition<object> = {
  config: undefined,
  learningRate: 2e-5,
  chosen: { encoder: { rate: 1e-4 }, language: { rate: 2e-5 } },
  trains: 'model',
  vectors: 5,
  start: (model) => staticRun(everyParameter(model)),
  words: { title: 'full fine-tuning', tags: ['full-fine-tuning'], library: 'transformers' },
};

export function everyParameter({ parameters }: Pick<TunableModel, 'parameters'>): WholeParameters {
  return new WholeParameters([...parameters].map(([name, shape]) => ({ name, shape })));
}
