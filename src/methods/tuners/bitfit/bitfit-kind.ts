import { z } from 'zod';
import { PEFT_PREFIX, peftName, type StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { headNamed } from '../../../models/heads/registry.ts';
import type { Head } from '../../../models/model-definition.ts';
import { elementCount } from '../../../support/element-count.ts';
import { suggest } from '../../../support/nearest.ts';
import { UserError } from '../../../support/user-error.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel } from '../tuner.ts';
import { WholeParameters } from '../whole-parameters.ts';

const NAME = 'BITFIT';

/** An invalid list counts as missing. */
const savedModules = z.array(z.string()).nullish().catch(null);

/**
 * BitFit's adapter: a kind of adalora, because PEFT has no BitFit. Its files have PEFT's names. Its tensors are full
 * parameters. Their names are PEFT's prefix and their Hugging Face names.
 */
export const bitFitKind: AdapterKind = {
  name: NAME,
  reads: ({ config }) => config.peft_type === NAME,
  import(model, { tensors }, where) {
    const parameters = [...tensors].map(([key, { shape, data }]) => {
      const name = peftName(key, where);
      const expected = model.parameters.get(name);
      if (expected?.join() === shape.join()) return { name, shape, data };
      throw new UserError({
        where: `${where}: ${name}`,
        fault: expected
          ? `has shape [${shape}] instead of [${expected}]`
          : 'is not a parameter of the base model',
        hint: expected
          ? 'The adapter belongs to another base model, or is damaged.'
          : suggest(name, model.parameters.keys()),
      });
    });
    const tuner = biasTuner(model.head, parameters);
    const values = new Float32Array(tuner.layout.length);
    for (const { name, data } of parameters) tuner.layout.read(values, name).set(data);
    return { tuner, values };
  },
  facts({ config }) {
    const saved = savedModules.parse(config.modules_to_save) ?? [];
    const isSaved = (key: string) => saved.some((module) => key.startsWith(`${PEFT_PREFIX}${module}.`));
    return { ranks: {}, settings: {}, isOwn: (key) => !isSaved(key) };
  },
  exports: {},
};

export function storeBiases(
  { headKind, head }: TunableModel,
  layout: ParameterLayout,
  values: Float32Array,
  baseModel: string,
): StoredAdapter {
  return {
    config: {
      peft_type: NAME,
      base_model_name_or_path: baseModel,
      task_type: headNamed(headKind).taskType,
      modules_to_save: head.modules.length > 0 ? head.modules : null,
    },
    tensors: new Map(
      layout.segments.map(({ name, shape }) => [
        PEFT_PREFIX + name,
        { shape: [...shape], data: layout.read(values, name) },
      ]),
    ),
    baseModel,
  };
}

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
