import type { z } from 'zod';
import { adaLoraKind } from '../adalora/adalora-kind.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { tripletTerm } from '../adalora/triplet-term.ts';
import { tripletVariants } from '../adalora/triplet-variants.ts';
import type { AllocationSchedule } from '../allocation/budget.ts';
import { assumedPhases, resolveSchedule } from '../allocation/resolve-schedule.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import { adaLoraAlpha } from '../low-rank/scales.ts';
import { withVariants } from '../low-rank/variants.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { ElasticRun, type RankPolicy } from './elastic-run.ts';
import type { ElasticConfig } from './elastic-shape.ts';

/** The parts of a method that are specific to it. */
interface ElasticParts<Config, Schema extends z.ZodObject> {
  /** Its name in a config and its display name. */
  method: string;
  title: string;
  config: Schema;
  /** Vectors that the policy keeps. */
  averages: number;
  variants?(settings: Readonly<Record<string, unknown>>): string[];
  policy(tuner: AdaLoraTuner, config: Config, schedule: AllocationSchedule, seed: number): RankPolicy;
}

/** A method with AdaLoRA's triplets that move between modules. Its files are AdaLoRA's. */
export function elasticLora<Config extends ElasticConfig, Schema extends z.ZodObject>({
  method,
  title,
  averages,
  variants = () => [],
  policy,
  ...parts
}: ElasticParts<Config, Schema>): MethodDefinition<Config, Schema> {
  return {
    ...parts,
    learningRate: 2e-3,
    chosen: {
      encoder: { rate: 5e-3, lora_alpha: 32 } as never,
      language: { rate: 1e-3, lora_alpha: 32 } as never,
    },
    trains: 'adapter',
    vectors: 5 + averages,
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
        store({ modules, layout }, values, baseModel) {
          // PEFT stores flags over the initial rank, so that rank must be the largest one at the same scale.
          const init_r = Math.max(...modules.map(({ rank }) => rank));
          const lora_alpha = (adaLoraAlpha(config, r) / (r + 1e-5)) * (init_r + 1e-5);
          const flags = modules.map(({ path, rank }) => [
            factorName(path, 'E'),
            Array.from({ length: init_r }, (_, i) => i < rank),
          ]);
          const made = {
            ...{ model, targets, modules, layout, values, baseModel },
            config: { ...config, lora_alpha },
          };
          const ranks = { init_r, target_r: r, rank_pattern: Object.fromEntries(flags) };
          return asStored(exportAdapter(made, { peft_type: 'ADALORA', ...phases, total_step, ...ranks }));
        },
        assumed: assumedPhases(config, schedule),
      });
    },
    kind: adaLoraKind,
    words: {
      title,
      titleWith: (settings) =>
        withVariants(title, [
          settings.schedule === 'constant' ? 'constant b' : [],
          variants(settings),
          tripletVariants(settings),
        ]),
      tags: ['peft', 'adalora', method],
      library: 'peft',
      summary: ({ r }) => (r === undefined ? undefined : `rank ${r} on average`),
      budgetKeys: ['r', 'lora_alpha'],
      components: 'triplets',
      factors: ['P', 'Q'],
      regularizer: tripletTerm,
    },
  };
}
