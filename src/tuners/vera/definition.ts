import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { describedAdapter } from '../peft/described-adapter.ts';
import { writePeft } from '../peft/peft-files.ts';
import { savedParameters } from '../saved-parameters.ts';
import { type VeraConfig, veraConfigSchema } from './config.ts';
import { VERA_FILES, veraKind } from './vera-kind.ts';
import { VeraTuner } from './vera-tuner.ts';

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
