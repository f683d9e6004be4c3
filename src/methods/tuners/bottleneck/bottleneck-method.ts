import { z } from 'zod';
import { isAdapterHub, isAdapterHubTensor } from '../../../input/formats/adapters/read-stored-adapter.ts';
import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { excerptName } from '../../../input/formats/excerpt.ts';
import { headNamed } from '../../../models/heads/registry.ts';
import { ACTIVATION_NAMES, type ActivationName } from '../../../models/nn/activation.ts';
import type { Sublayer } from '../../../models/nn/network.ts';
import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { readVector } from '../peft/peft-files.ts';
import { rank } from '../peft/settings.ts';
import type { TunableModel, TunedValues } from '../tuner.ts';
import {
  ADAPTERS_VERSION,
  adapterHubSettings,
  parseAdapterHubSettings,
  withPlainHead,
} from './adapterhub-settings.ts';
import {
  ADAPTER_NAME,
  type BottleneckForm,
  type BottleneckSite,
  BottleneckTuner,
  PART_NAMES,
  partName,
} from './bottleneck-tuner.ts';

/** Bottleneck adapters in the files of AdapterHub's `adapters`. */
export const bottleneckKind: AdapterKind = {
  name: 'BOTTLENECK',
  reads: ({ config }) => isAdapterHub(config),
  import: (model, stored, where) => importBottlenecks(model, stored, readSettings(stored, where), where),
  facts(stored, where) {
    const { reads, nonLinearity } = readSettings(stored, where);
    const sizes = bottlenecks(stored.tensors);
    const different = [...new Set(sizes)];
    return {
      ranks: {},
      settings: {
        adapters: sizes.length,
        bottleneck: different.length === 1 ? different[0] : different,
        non_linearity: nonLinearity,
        original_ln_before: reads === 'norm',
      },
      isOwn: isAdapterHubTensor,
    };
  },
  unmergeable: 'it has layers of its own that no weight of the base can hold',
};

function readSettings({ config }: StoredAdapter, where: string) {
  return parseAdapterHubSettings(config.config as Record<string, unknown>, where);
}

/** The size of each adapter. */
function bottlenecks(tensors: AdapterTensors): number[] {
  return [...tensors].flatMap(([key, { shape }]) => (key.endsWith('.adapter_down.0.bias') ? shape : []));
}

/** The parts that differ between bottleneck methods. */
interface BottleneckVariant {
  title: string;
  tag: string;
  /** The sublayers that an adapter follows. */
  sublayers: readonly Sublayer['kind'][];
  reads: BottleneckForm['reads'];
  defaults: BottleneckConfig;
}

/** Defines a method that trains bottleneck adapters and the head. */
function bottleneckMethod({
  title,
  tag,
  sublayers,
  reads,
  defaults,
}: BottleneckVariant): MethodDefinition<BottleneckConfig, ReturnType<typeof bottleneckSchema>> {
  return {
    config: bottleneckSchema(defaults),
    // The best of 3e-4, 1e-3 and 3e-3 on CoLA for both methods: bench/log/2026-11-26.md.
    learningRate: 1e-3,
    chosen: { encoder: { rate: 2e-3 }, language: { rate: 1e-3 } },
    trains: 'adapter',
    vectors: 5,
    start(model, { bottleneck, non_linearity: nonLinearity }) {
      const sites = model.sublayers
        .filter(({ kind }) => sublayers.includes(kind))
        .map((sublayer) => ({ sublayer, bottleneck }));
      const tuner = new BottleneckTuner(sites, headParameters(model), { reads, nonLinearity });
      return staticRun(tuner, {
        store: (values, baseModel, labels = []) =>
          storeBottlenecks(model, tuner, values, { baseModel, labels }),
      });
    },
    kind: bottleneckKind,
    words: {
      title,
      tags: ['adapter-transformers', tag],
      library: 'adapters',
      budgetKeys: ['bottleneck'],
      summary: ({ bottleneck }) => (bottleneck === undefined ? undefined : `bottleneck ${bottleneck}`),
    },
  };
}

export interface BottleneckConfig {
  bottleneck: number;
  non_linearity: ActivationName;
}

/** The section of a method with bottleneck adapters. */
function bottleneckSchema({ bottleneck, non_linearity }: BottleneckConfig) {
  return z.strictObject({
    /** Width between the two projections. */
    bottleneck: rank.default(bottleneck),
    /** Activation, named as in transformers and AdapterHub. */
    non_linearity: z.enum(ACTIVATION_NAMES).default(non_linearity),
  });
}

/**
 * The parameters that AdapterHub trains besides adapters. They are all parameters outside the base model that do not
 * score words. Modules of the head inside the base model are trained only if the checkpoint lacks them.
 */
function headParameters({
  definition,
  head,
  headKind,
  config,
  parameters,
}: TunableModel): TrainedParameter[] {
  const prefix = head.baseModelPrefix ?? definition.baseModelPrefix;
  const base = prefix && `${prefix}.`;
  // Heads that score words use the word embeddings, or a matrix with as many rows.
  const scoresWords = headNamed(headKind).axes.includes('vocabulary');
  const isOfWords = ([rows]: readonly number[]) => scoresWords && rows === config.vocabSize;
  return [...parameters]
    .filter(
      ([name, shape]) =>
        (!name.startsWith(base) && !isOfWords(shape)) ||
        head.modules.some((module) => name.startsWith(`${module}.`)),
    )
    .map(([name, shape]) => ({ name, shape }));
}

/**
 * Adapters placed as in Houlsby et al. (2019), AdapterHub's `double_seq_bn`: after attention and after the feed-forward
 * network. Each reads and changes the sublayer's output before the residual sum. The default size is that of the
 * baseline with 0.6 million parameters in AdaLoRA's paper (DeBERTaV3-base).
 */
export const houlsby = bottleneckMethod({
  title: 'Houlsby adapters',
  tag: 'houlsby',
  sublayers: ['attention', 'feedForward'],
  reads: 'output',
  defaults: { bottleneck: 16, non_linearity: 'swish' },
});

/**
 * Adapters placed as in Pfeiffer et al. (2021, AdapterFusion), AdapterHub's `seq_bn`: only after the feed-forward
 * network. Each reads the layer's result without the adapter. The default size is that of the baseline with 0.6 million
 * parameters in AdaLoRA's paper (DeBERTaV3-base).
 *
 * On Gemma 2, each adapter reads its own layer's norm. In AdapterHub's `adapters` 1.3.0, all of them read the norm of
 * the last layer, because its hook is a closure over the loop variable. With more than one layer, the results differ.
 */
export const pfeiffer = bottleneckMethod({
  title: 'Pfeiffer adapters',
  tag: 'pfeiffer',
  sublayers: ['feedForward'],
  reads: 'norm',
  defaults: { bottleneck: 32, non_linearity: 'relu' },
});

/**
 * Puts AdapterHub's adapters on a model. Each sublayer with tensors gets an adapter of their size.
 *
 * @throws UserError that names missing tensors, and tensors that do not belong to the model or have the wrong shape
 */
function importBottlenecks(
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
function storeBottlenecks(
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
