import type { z } from 'zod';
import type { ContinuesAdapters } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { continuedSection } from './continued-section.ts';
import { exportContinued } from './export-adapter.ts';
import { ranksOf } from './factors.ts';
import { type ImportedKind, importAdapter } from './import-adapter.ts';
import type { ConfigOf, PeftType } from './low-rank-kind.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import { peftAdapter } from './peft-adapter.ts';

/** How a method continues adapters of a type. */
export interface ContinuedMethod<Type extends PeftType, Schema extends z.ZodObject> {
  /** The name of its section. */
  method: string;
  schema: Schema;
  /** Returns the adapter's settings under the section's names. Default: unchanged. */
  known?(start: ConfigOf<Type>): Readonly<Record<string, unknown>>;
  /** Builds a tuner that trains the adapter with these settings. */
  imported(start: ConfigOf<Type>, settings: z.output<Schema>): ImportedKind<LowRankTuner>;
  /** Keys of its section that have no effect on a continued run. */
  meaningless?: readonly string[];
  /** Keys of the adapter's file that the run's settings change. */
  storedKeys?(start: ConfigOf<Type>): Readonly<Record<string, unknown>>;
  notices: readonly string[];
}

/** Continues training of an adapter, at its ranks. */
export function continuesLowRank<
  Type extends PeftType,
  Schema extends z.ZodObject<{ lora_dropout: z.ZodType<number> }>,
>({
  method,
  schema,
  known = (start) => start,
  imported,
  meaningless = [],
  storedKeys = () => ({}),
  notices,
}: ContinuedMethod<Type, Schema>): ContinuesAdapters<z.output<Schema>> {
  return {
    notices,
    section(given, stored, where) {
      const { config } = peftAdapter(stored, where);
      return continuedSection(
        { method, schema },
        { given, known: known(config as ConfigOf<Type>), meaningless, where },
      );
    },
    start(model, settings, stored, where) {
      const adapter = peftAdapter(stored, where);
      const start = adapter.config as ConfigOf<Type>;
      const { tuner, values } = importAdapter(model, adapter, where, imported(start, settings));
      const run = staticRun(tuner, {
        ranks: ranksOf(tuner.modules),
        store(trained, baseModel) {
          const { layout, values } = tuner.factored(trained);
          const { lora_dropout } = settings as { lora_dropout: number };
          const keys = { base_model_name_or_path: baseModel, lora_dropout, ...storedKeys(start) };
          return exportContinued(start, layout, values, keys);
        },
      });
      return { run, values };
    },
  };
}
