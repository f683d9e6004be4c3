import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { tripletMethod } from '../composed/triplet-method.ts';
import { storeTriplets } from '../elastic/elastic-lora.ts';
import { seeded } from '../elastic/elastic-run.ts';
import { withTargets } from '../targets/adapted-modules.ts';
import { type IncreLoraConfig, increLoraConfigSchema, planGrowth } from './config.ts';
import { IncreLoraRun } from './increlora-run.ts';

/** IncreLoRA (Zhang et al., 2023, arXiv 2308.12043): ranks grow where the increments matter most. */
export const increLora = tripletMethod<IncreLoraConfig, typeof increLoraConfigSchema>({
  method: 'increlora',
  title: 'IncreLoRA',
  tags: ['adalora', 'increlora'],
  config: increLoraConfigSchema,
  averages: 0,
  start(model, config, totalSteps, seed = 0) {
    const { init_r, target_r } = config;
    const tuner = AdaLoraTuner.create(model, config);
    const growth = planGrowth(config, tuner.modules.length, totalSteps);
    const { totalStep: total_step, ...phases } = growth.schedule;
    const complete = withTargets(model, config, 'many');
    return new IncreLoraRun({
      tuner,
      config,
      growth,
      draw: seeded(seed),
      store: ({ modules, layout }, values, baseModel) =>
        storeTriplets(
          { model, modules, layout, values, baseModel, config: complete },
          { ...phases, total_step, target_r: Math.max(init_r, target_r) },
        ),
    });
  },
  known: ({ init_r: _, target_r: __, ...start }) => start,
  variants: ({ advance_learn, last_round, score_batches }) =>
    [
      advance_learn === false ? 'without advance learning' : [],
      last_round === 'whole' ? 'whole last round' : [],
      score_batches === 'last' ? 'scores of last micro-batches' : [],
    ].flat(),
  words: {
    summary: ({ init_r, target_r }) =>
      target_r === undefined ? undefined : `rank ${init_r} to ${target_r} on average`,
    budgetKeys: ['init_r', 'target_r', 'lora_alpha'],
  },
});
