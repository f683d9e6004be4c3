import type { z } from 'zod';
import { loraConfigSchema } from '../lora/config.ts';
import { loraKind } from '../lora/lora-kind.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import type { AdapterSettings } from '../low-rank/adapter-config-shape.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import type { MethodDefinition, MethodWords } from '../method-definition.ts';
import type { TunableModel } from '../tuner.ts';
import { type MeasuredSettings, measuredKeys } from './measured-keys.ts';
import { type MeasuredMethod, MeasuredRun } from './measured-run.ts';

type MeasuredConfig = AdapterSettings & Partial<MeasuredSettings> & { r: number };

/** The parts of a method that are specific to it. */
interface MeasuredParts<Config, Schema extends z.ZodObject> {
  config: Schema;
  learningRate: number;
  chosen: MethodDefinition<Config, Schema>['chosen'];
  words: Pick<MethodWords, 'title' | 'titleWith' | 'tags'>;
  /** LoRA's settings of its config that are not named as in LoRA. */
  settings?(config: Config): Partial<MeasuredSettings>;
  /** The alpha of a module at its measured rank. */
  alpha(config: Config, module: LowRankModule, rank: number): number;
  method(even: LoraTuner, config: Config, model: TunableModel): Pick<MeasuredMethod, 'survey' | 'measure'>;
}

/** A method that is LoRA after a measurement before the first step: its files are LoRA's. */
export function measuredLora<Config extends MeasuredConfig, Schema extends z.ZodObject>({
  settings = () => ({}),
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
      const targets = defaultTargets(model, 'few');
      const given = { ...config, ...settings(config) };
      const lora = loraConfigSchema.parse(
        Object.fromEntries(Object.entries(given).filter(([key]) => key in loraConfigSchema.shape)),
      );
      const even = LoraTuner.create(model, lora);
      const moduleAt = new Map(even.modules.map((module) => [module.path, module]));
      const alphaOf = (path: string, rank: number) => alpha(config, moduleAt.get(path)!, rank);
      const keys = (modules: readonly LowRankModule[]) => measuredKeys(modules, lora, alphaOf);
      return new MeasuredRun({
        even,
        ...method(even, config, model),
        scale: (path, rank) => alphaOf(path, rank) / (lora.use_rslora ? Math.sqrt(rank) : rank),
        keys,
        store(modules, values, baseModel) {
          const left = modules.filter(({ rank }) => rank > 0);
          // The vector is unchanged: modules of rank 0 have no values in it.
          const { layout } = even.withModules(left);
          const made = { model, config: lora, targets, modules: left, layout, values, baseModel };
          return asStored(exportAdapter(made, { peft_type: 'LORA', ...keys(modules) }));
        },
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
