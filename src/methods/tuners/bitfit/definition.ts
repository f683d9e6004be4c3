import { PEFT_PREFIX, peftName, type StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { taskTypeFor } from '../../../models/heads/task-type.ts';
import type { Head } from '../../../models/model-definition.ts';
import { elementCount } from '../../../support/arrays.ts';
import { suggest } from '../../../support/text.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { ownFacts } from '../own-adapters.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import { assertShape } from '../peft/peft-files.ts';
import type { TunableModel } from '../tuner.ts';
import { savedParameters, WholeParameters } from '../whole-parameters.ts';

const NAME = 'BITFIT';

/**
 * BitFit's adapter: a kind of adalora, because PEFT has no BitFit. Its files have PEFT's names. Its tensors are full
 * parameters. Their names are PEFT's prefix and their Hugging Face names.
 */
const bitFitKind: AdapterKind = {
  name: NAME,
  reads: ({ config }) => config.peft_type === NAME,
  import(model, { tensors }, where) {
    const parameters = [...tensors].map(([key, { shape, data }]) => {
      const name = peftName(key, where);
      const expected = model.parameters.get(name);
      if (!expected) {
        const hint = suggest(name, model.parameters.keys());
        throw new InvalidFile({
          where: `${where}: ${name}`,
          fault: 'is not a parameter of the base model',
          hint,
        });
      }
      assertShape(`${where}: ${name}`, { shape, data }, expected);
      return { name, shape, data };
    });
    const tuner = biasTuner(model.head, parameters);
    return { tuner, values: tuner.layout.vector(parameters.map((one) => [one.name, one])) };
  },
  facts: ({ config }) => ownFacts(config, {}),
};

function storeBiases(
  model: TunableModel,
  layout: ParameterLayout,
  values: Float32Array,
  baseModel: string,
): StoredAdapter {
  return {
    config: {
      peft_type: NAME,
      base_model_name_or_path: baseModel,
      task_type: taskTypeFor(model),
      modules_to_save: model.head.modules.length > 0 ? model.head.modules : null,
    },
    tensors: layout.tensors(values, (name) => PEFT_PREFIX + name),
    baseModel,
  };
}

/**
 * Builds a tuner that trains these parameters. Parameters outside the head are the adapter, and each counts for its
 * module.
 */
function biasTuner(head: Pick<Head, 'modules'>, parameters: readonly TrainedParameter[]): WholeParameters {
  const sites = parameters
    .filter(({ name }) => !head.modules.some((module) => name.startsWith(`${module}.`)))
    .map(({ name, shape }) => ({ path: name.replace(/\.[^.]*$/, ''), parameters: elementCount(shape) }));
  return new WholeParameters(parameters, sites);
}

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
    code: 'unsupported',
  });
}
