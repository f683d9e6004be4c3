import type { z } from 'zod';
import { loraConfigSchema } from '../lora/config.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { loraKind, rankKeys, storeRanked } from '../lora/ranked-run.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import type { AdapterSettings } from '../low-rank/peft-config.ts';
import type { MethodDefinition, MethodTexts } from '../method-definition.ts';
import { withTargets } from '../targets/adapted-modules.ts';
import type { TunableModel } from '../tuner.ts';
import { type MeasuredMethod, MeasuredRun } from './measured-run.ts';

type MeasuredConfig = AdapterSettings & { r: number };

/** The parts that differ between methods. */
interface MeasuredParts<Config, Schema extends z.ZodObject> {
  config: Schema;
  learningRate: number;
  chosen: MethodDefinition<Config, Schema>['chosen'];
  words: Pick<MethodTexts, 'title' | 'titleWith' | 'tags'>;
  /** Returns the alpha of a module at its measured rank. */
  alpha(config: Config, module: LowRankModule, rank: number): number;
  method(
    even: LoraTuner,
    config: Config,
    model: TunableModel,
  ): Pick<MeasuredMethod, 'measurement' | 'measure'>;
}

/** Defines a method that measures before the first step and then trains plain LoRA. Its files are LoRA's. */
export function measuredLora<Config extends MeasuredConfig, Schema extends z.ZodObject>({
  alpha,
  method,
  words,
  ...parts
}: MeasuredParts<Config, Schema>): MethodDefinition<Config, Schema> {
  return {
    ...parts,
    trains: 'adapter',
    vectors: 5,
    start(model, config) {
      const lora = loraConfigSchema.parse(
        Object.fromEntries(Object.entries(config).filter(([key]) => key in loraConfigSchema.shape)),
      );
      const even = LoraTuner.create(model, lora);
      const moduleAt = new Map(even.modules.map((module) => [module.path, module]));
      const alphaOf = (path: string, rank: number) => alpha(config, moduleAt.get(path)!, rank);
      return new MeasuredRun({
        even,
        ...method(even, config, model),
        scale: (path, rank) => alphaOf(path, rank) / (lora.use_rslora ? Math.sqrt(rank) : rank),
        keys: (modules) => rankKeys(modules, lora, alphaOf),
        store: (tuner, values, baseModel) =>
          storeRanked({ model, values, baseModel }, withTargets(model, lora, 'few'), tuner, alphaOf),
      });
    },
    kind: loraKind,
    words: {
      ...words,
      library: 'peft',
      summary: ({ r }) => (r === undefined ? undefined : `rank ${r} on average`),
      budgetKeys: ['r', 'lora_alpha'],
      components: 'doublets',
      factors: ['B', 'A'],
    },
  };
}
