import { z } from 'zod';
import type { AdapterKind } from '../adapter-kind.ts';
import { adaptedModules, defaultTargets } from '../low-rank/adapted-modules.ts';
import { adapterConfigShape } from '../low-rank/peft-config.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { describedAdapter } from '../peft/described-adapter.ts';
import {
  assertShape,
  commonSettings,
  isOwnTensor,
  isSharedTensor,
  layerSettings,
  type PeftFiles,
  peftSettings,
  readPeft,
  writePeft,
} from '../peft/peft-files.ts';
import { rank } from '../shared/rank.ts';
import { savedParameters } from '../whole-parameters.ts';
import { VERA, VeraTuner } from './vera-tuner.ts';

const schema = z.object({
  ...commonSettings,
  ...layerSettings,
  r: rank.default(256),
  projection_prng_key: z.int().min(0).max(0xffff_ffff).default(0),
  save_projection: z.boolean().default(true),
  vera_dropout: z.number().default(0),
  d_initial: z.number().default(0.1),
  init_weights: z.boolean().default(true),
  bias: z.enum(['none', 'all', 'vera_only']).default('none'),
});

/** PEFT's files of VeRA. */
const VERA_FILES: PeftFiles<z.output<typeof schema>> = {
  peftType: 'VERA',
  schema,
  parts: [VERA.b, VERA.d],
  shared: [VERA.A, VERA.B],
};

/** Adapters of PEFT's type VERA. If the file lacks the shared matrices, they are generated from their seed. */
const veraKind: AdapterKind = {
  name: VERA_FILES.peftType,
  reads: ({ config }) => config.peft_type === VERA_FILES.peftType,
  import(model, stored, where) {
    const { config, modules, shared, saved } = readPeft(VERA_FILES, model, stored, where);
    const { r, projection_prng_key: seed, d_initial: initial } = config;
    for (const { path, outFeatures, tensors } of modules) {
      assertShape(`${where}: ${path}.${VERA.d}`, tensors.get(VERA.d)!, [r]);
      assertShape(`${where}: ${path}.${VERA.b}`, tensors.get(VERA.b)!, [outFeatures]);
    }
    const parameters = [...saved].map(([name, { shape }]) => ({ name, shape }));
    const tuner = new VeraTuner({ r, dropout: 0, initial, seed }, modules, parameters);
    if (shared.size === 0) tuner.drawProjections();
    for (const [name, tensor] of shared) {
      assertShape(`${where}: ${name}`, tensor, tuner.frozen.layout.get(name).shape);
      tuner.frozen.read(name).set(tensor.data);
    }
    const values = new Float32Array(tuner.layout.length);
    for (const { path, tensors } of modules)
      for (const [part, { data }] of tensors) tuner.layout.read(values, `${path}.${part}`).set(data);
    for (const [name, { data }] of saved) tuner.layout.read(values, name).set(data);
    return { tuner, values };
  },
  facts(stored, where) {
    const { r } = peftSettings(VERA_FILES, stored, where);
    return {
      ranks: {},
      settings: { r },
      isOwn: (key) => isOwnTensor(VERA_FILES, key),
      isFrozen: (key) => isSharedTensor(VERA_FILES, key),
    };
  },
  exports: {},
};

const { target_modules, layers_to_transform, layers_pattern, modules_to_save } = adapterConfigShape;

/** VeRA's settings: PEFT's keys and defaults. */
const veraConfigSchema = z.strictObject({
  /** Rank of the shared matrices. It is higher than LoRA's because it adds few parameters. */
  r: rank.default(256),
  /** Modules to adapt: names, or a regular expression. */
  target_modules,
  /** Numbers of the layers to adapt. Default: all. */
  layers_to_transform,
  /** Name of the list of layers in module paths. */
  layers_pattern,
  /** Modules to train in full besides the adapter. */
  modules_to_save,
  /** Seed of the shared matrices A and B. */
  projection_prng_key: z.int().min(0).max(0xffff_ffff).default(0),
  /**
   * Whether the adapter file contains A and B. Without A and B it is smaller, but a reader must generate them with the
   * same random generator.
   */
  save_projection: z.boolean().default(true),
  /** Dropout on the input of the increments. */
  vera_dropout: z.number().min(0).lt(1).default(0),
  /** Initial value of the factors between A and B. */
  d_initial: z.number().default(0.1),
  /** Biases to train and save with the adapter: none, those of the adapted layers, or all of the model. */
  bias: z.enum(['none', 'vera_only', 'all']).default('none'),
});

type VeraConfig = z.infer<typeof veraConfigSchema>;

/** VeRA (Kopiczko et al., ICLR 2024), with the keys and files of PEFT. */
export const vera: MethodDefinition<VeraConfig, typeof veraConfigSchema> = {
  config: veraConfigSchema,
  // The paper's learning rate for RoBERTa base on GLUE.
  learningRate: 4e-3,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 4e-3 } },
  trains: 'adapter',
  vectors: 5,
  start(model, config) {
    const targets = defaultTargets(model, 'few');
    const modules = adaptedModules(model, config, targets);
    const bias = config.bias === 'vera_only' ? 'lora_only' : config.bias;
    const { r, vera_dropout: dropout, d_initial: initial, projection_prng_key: seed } = config;
    const saved = savedParameters(model, { ...config, bias }, modules);
    const tuner = new VeraTuner({ r, dropout, initial, seed }, modules, saved);
    return staticRun(tuner, {
      store: (values, baseModel) =>
        writePeft(VERA_FILES, {
          config: describedAdapter(model, config, targets, modules, baseModel),
          adapted: modules.map(({ path }) => path),
          ...{ layout: tuner.layout, values },
          ...(config.save_projection && {
            shared: new Map(
              tuner.frozen.layout.segments.map(({ name, shape }) => [
                name,
                { shape: [...shape], data: tuner.frozen.read(name) },
              ]),
            ),
          }),
        }),
    });
  },
  kind: veraKind,
  words: {
    title: 'VeRA',
    tags: ['peft', 'vera'],
    library: 'peft',
    summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`),
    budgetKeys: ['r'],
  },
};
