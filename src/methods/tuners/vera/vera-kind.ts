import { z } from 'zod';
import type { AdapterKind } from '../adapter-kind.ts';
import {
  assertShape,
  commonSettings,
  isOwnTensor,
  isSharedTensor,
  layerSettings,
  type PeftFiles,
  peftSettings,
  readPeft,
} from '../peft/peft-files.ts';
import { rank } from '../shared/rank.ts';
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
export const VERA_FILES: PeftFiles<z.output<typeof schema>> = {
  peftType: 'VERA',
  schema,
  parts: [VERA.b, VERA.d],
  shared: [VERA.A, VERA.B],
};

/** Adapters of PEFT's type VERA. If the file lacks the shared matrices, they are generated from their seed. */
export const veraKind: AdapterKind = {
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
