import type { z } from 'zod';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import type { AllocationSchedule } from '../allocation/budget.ts';
import { assumedPhases, resolveSchedule } from '../allocation/resolve-schedule.ts';
import { continuesTriplets, tripletMethod } from '../composed/triplet-method.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { ElasticRun, type RankPolicy } from './elastic-run.ts';
import type { ElasticConfig } from './elastic-shape.ts';
import { storeTriplets } from './store-triplets.ts';

/** The parts that differ between methods. */
interface ElasticParts<Config, Schema extends z.ZodObject> {
  /** Its name in a config (`method`) and its display name (`title`). */
  method: string;
  title: string;
  config: Schema;
  /** Number of vectors that the policy keeps. */
  averages: number;
  variants?(settings: Readonly<Record<string, unknown>>): string[];
  policy(tuner: AdaLoraTuner, config: Config, schedule: AllocationSchedule, seed: number): RankPolicy;
}

/** Defines a method with AdaLoRA's triplets that move between modules. Its files are AdaLoRA's. */
export function elasticLora<Config extends ElasticConfig, Schema extends z.ZodObject>({
  method,
  title,
  averages,
  variants = () => [],
  policy,
  ...parts
}: ElasticParts<Config, Schema>): MethodDefinition<Config, Schema> {
  return tripletMethod<Config, Schema>({
    ...parts,
    title,
    tags: ['adalora', method],
    averages,
    start(model, config, totalSteps, seed = 0) {
      const { r } = config;
      const schedule = resolveSchedule(config, totalSteps, method);
      const { totalStep: total_step, ...phases } = schedule;
      const tuner = AdaLoraTuner.create(model, { ...config, init_r: r });
      const targets = defaultTargets(model, 'many');
      return new ElasticRun({
        tuner,
        schedule,
        policy: policy(tuner, config, schedule, seed),
        restarts: config.restart_optimizer,
        store: ({ modules, layout }, values, baseModel) =>
          storeTriplets(
            { model, targets, modules, layout, values, baseModel, config },
            { ...phases, total_step, target_r: r },
          ),
        assumed: assumedPhases(config, schedule),
      });
    },
    continues: continuesTriplets(method, parts.config, ({ target_r, ...start }) => ({
      ...start,
      r: target_r,
    })),
    variants: (settings) =>
      [
        settings.schedule === 'constant' ? 'constant b' : [],
        settings.restart_optimizer === true ? 'optimizer restarts' : [],
        variants(settings),
      ].flat(),
    words: {
      summary: ({ r }) => (r === undefined ? undefined : `rank ${r} on average`),
      budgetKeys: ['r', 'lora_alpha'],
    },
  });
}
