import { z } from 'zod';
import type { AdapterKind } from '../adapter-kind.ts';
import {
  assertShape,
  commonSettings,
  exclusionSettings,
  isOwnTensor,
  type PeftFiles,
  peftSettings,
  readPeft,
} from '../peft/peft-files.ts';
import { IA3_PART, Ia3Tuner } from './ia3-tuner.ts';

const schema = z.object({
  ...commonSettings,
  ...exclusionSettings,
  /** The target modules whose input is rescaled. */
  feedforward_modules: z
    .union([z.array(z.string()), z.string()])
    .nullable()
    .default(null),
  init_ia3_weights: z.boolean().default(true),
});

/** PEFT's files of IA3. */
export const IA3_FILES: PeftFiles<z.output<typeof schema>> = { peftType: 'IA3', schema, parts: [IA3_PART] };

/** Adapters of PEFT's type IA3. The shape of a tensor shows whether it rescales the module's input. */
export const ia3Kind: AdapterKind = {
  name: IA3_FILES.peftType,
  reads: ({ config }) => config.peft_type === IA3_FILES.peftType,
  import(model, stored, where) {
    const { modules, saved } = readPeft(IA3_FILES, model, stored, where);
    const rescaled = modules.map(({ tensors, ...module }) => {
      const tensor = tensors.get(IA3_PART)!;
      const ofInput = tensor.shape.join() === `1,${module.inFeatures}`;
      if (!ofInput) assertShape(`${where}: ${module.path}.${IA3_PART}`, tensor, [module.outFeatures, 1]);
      return { ...module, ofInput, data: tensor.data };
    });
    const parameters = [...saved].map(([name, { shape }]) => ({ name, shape }));
    const tuner = new Ia3Tuner(rescaled, parameters);
    const values = new Float32Array(tuner.layout.length);
    for (const { path, data } of rescaled) tuner.layout.read(values, `${path}.${IA3_PART}`).set(data);
    for (const [name, { data }] of saved) tuner.layout.read(values, name).set(data);
    return { tuner, values };
  },
  facts(stored, where) {
    peftSettings(IA3_FILES, stored, where);
    return { ranks: {}, settings: {}, isOwn: (key) => isOwnTensor(IA3_FILES, key) };
  },
  exports: {},
};
