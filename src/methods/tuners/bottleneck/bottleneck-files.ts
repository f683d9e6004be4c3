import { isAdapterHubTensor } from '../../../input/formats/adapters/read-stored-adapter.ts';
import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { excerptName } from '../../../input/formats/excerpt.ts';
import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import { readVector } from '../peft/peft-files.ts';
import type { TunableModel, TunedValues } from '../tuner.ts';
import { ADAPTERS_VERSION, adapterHubSettings, withPlainHead } from './adapterhub-settings.ts';
import {
  ADAPTER_NAME,
  type BottleneckForm,
  type BottleneckSite,
  BottleneckTuner,
  PART_NAMES,
  partName,
} from './bottleneck-tuner.ts';

/**
 * Puts AdapterHub's adapters on a model. Each sublayer with tensors gets an adapter of their size.
 *
 * @throws UserError that names missing tensors, and tensors that do not belong to the model or have the wrong shape
 */
export function importBottlenecks(
  model: TunableModel,
  stored: StoredAdapter,
  form: BottleneckForm,
  where: string,
): TunedValues {
  const tensors = tensorsByName(
    model,
    withPlainHead(model, stored, where),
    String(stored.config.name),
    where,
  );
  const sites = model.sublayers.flatMap((sublayer): BottleneckSite[] => {
    const bottleneck = tensors.get(partName(sublayer, 'down'))?.shape[0];
    return bottleneck === undefined ? [] : [{ sublayer, bottleneck }];
  });
  const saved = [...tensors.keys()].flatMap((name) => {
    const shape = model.parameters.get(name);
    return shape ? [{ name, shape }] : [];
  });
  const tuner = new BottleneckTuner(sites, saved, form);
  return { tuner, values: readVector(tuner.layout, tensors, where) };
}

/**
 * Renames tensors to adalora's names. AdapterHub's names contain the adapter's name. For a base model alone, they lack
 * the base model's prefix. Parameters that a head shares with the base model come from the base.
 */
function tensorsByName(
  model: TunableModel,
  stored: AdapterTensors,
  adapter: string,
  where: string,
): AdapterTensors {
  const { baseModelPrefix, tiedNames = {} } = model.definition;
  const ours = new Map<string, string>();
  for (const sublayer of model.sublayers) {
    for (const part of PART_NAMES) {
      const theirs = partName(sublayer, part, adapter);
      ours.set(theirs, partName(sublayer, part));
      if (theirs.startsWith(`${baseModelPrefix}.`))
        ours.set(theirs.slice(baseModelPrefix.length + 1), partName(sublayer, part));
    }
  }
  const shared = new Set([...model.buffers.keys(), ...Object.values(tiedNames).flat()]);
  const byName: AdapterTensors = new Map();
  for (const [key, tensor] of stored) {
    const name = ours.get(key) ?? (model.parameters.has(key) ? key : undefined);
    if (name !== undefined) byName.set(name, tensor);
    else if (!shared.has(key)) throw strayTensor(key, where);
  }
  return byName;
}

function strayTensor(key: string, where: string): UserError {
  return new InvalidFile({
    where: `${where}: ${excerptName(key)}`,
    fault: isAdapterHubTensor(key)
      ? 'does not belong to a sublayer of the base model'
      : 'is not a parameter of the base model',
    hint: 'Was the adapter made for another base model, or with a head of another class?',
  });
}

/**
 * Stores trained values as AdapterHub's `save_adapter` writes them.
 *
 * @param labels class names by id; missing for tasks without labels
 */
export function storeBottlenecks(
  { definition, head, config }: TunableModel,
  { layout, saved, form, places }: BottleneckTuner,
  values: Float32Array,
  { baseModel, labels }: { baseModel: string; labels: readonly string[] },
): StoredAdapter {
  const { sublayer, bottleneck } = places[0]!;
  const { width } = sublayer;
  const sublayers = places.map(({ sublayer }) => sublayer.kind);
  const common = {
    hidden_size: width,
    model_class: head.architecture,
    model_name: baseModel,
    model_type: definition.modelType,
    version: ADAPTERS_VERSION,
  };
  const { numLabels } = config;
  const names = labels.length > 0 ? labels : Array.from({ length: numLabels }, (_, id) => `LABEL_${id}`);
  return {
    config: {
      ...common,
      config: adapterHubSettings(form, sublayers, width, bottleneck),
      name: ADAPTER_NAME,
    },
    tensors: layout.tensors(values),
    baseModel,
    ...(saved.length > 0 && {
      head: {
        ...common,
        config: null,
        label2id: Object.fromEntries(names.map((label, id) => [label, id])),
        name: null,
        num_labels: numLabels,
      },
    }),
  };
}
