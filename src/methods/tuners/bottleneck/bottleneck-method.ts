import { z } from 'zod';
import { isAdapterHub, isAdapterHubTensor } from '../../../input/formats/adapters/read-stored-adapter.ts';
import type { AdapterTensors, StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { headNamed } from '../../../models/heads/registry.ts';
import { ACTIVATION_NAMES, type ActivationName } from '../../../models/nn/activation.ts';
import type { Sublayer } from '../../../models/nn/network.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { rank } from '../peft/settings.ts';
import type { TunableModel } from '../tuner.ts';
import { parseAdapterHubSettings } from './adapterhub-settings.ts';
import { importBottlenecks, storeBottlenecks } from './bottleneck-files.ts';
import { type BottleneckForm, BottleneckTuner } from './bottleneck-tuner.ts';

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
export interface BottleneckVariant {
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
