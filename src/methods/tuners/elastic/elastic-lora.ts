import { z } from 'zod';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { largest } from '../../../support/numbers.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { assumedPhases, resolveSchedule, scheduleShape } from '../allocation/schedule.ts';
import { tripletMethod, tripletShape } from '../composed/triplet-method.ts';
import { factorName } from '../low-rank/factors.ts';
import { type Export, exportLowRank } from '../low-rank/low-rank-files.ts';
import { computeAdaLoraAlpha } from '../low-rank/patterns-and-scales.ts';
import { adapterConfigShape } from '../low-rank/peft-config.ts';
import type { AnySettings, MethodDefinition } from '../method-definition.ts';
import { rank } from '../peft/settings.ts';
import { withTargets } from '../targets/adapted-modules.ts';
import { type Draw, ElasticRun, type RankPolicy, seeded } from './elastic-run.ts';

const { tinit, tfinal, deltaT } = scheduleShape;

/** Settings of methods that move ranks between modules while they train. */
export const elasticShape = {
  ...adapterConfigShape,
  /** Rank of every module at the start. It is also the mean rank during the whole run. */
  r: rank.default(8),
  /** Steps before ranks move: a number or a share. Default: 10 % of the run. */
  tinit,
  /** Final steps with fixed ranks: a number or a share. Default: 40 % of the run. */
  tfinal,
  /** Steps between two moves: a number or a share. Each move rebuilds the graph, which takes about a second. */
  deltaT: deltaT.unwrap().default('5%'),
  /** Maximum number of ranks that move at once. */
  b: z.int().min(1).default(4),
  /** Whether `b` falls to zero between `tinit` and `tfinal` (`cubic`) or not (`constant`). */
  schedule: z.enum(['cubic', 'constant']).default('cubic'),
  ...tripletShape,
};

type ElasticConfig = z.output<z.ZodObject<typeof elasticShape>>;

/**
 * Stores triplets with a rank and a scale per module as PEFT's AdaLoRA. PEFT has one initial rank and one scale for all
 * modules. The initial rank is set to the largest rank, and λ absorbs the differences in scale.
 *
 * @param keys the schedule and target rank, in PEFT's keys
 */
export function storeTriplets(made: Export, keys: AnySettings): StoredAdapter {
  const { modules, layout } = made;
  const init_r = largest(modules.map(({ rank }) => rank));
  const { scale: common } = modules[0]!;
  const values = made.values.slice();
  for (const { path, scale } of modules) {
    const lambdas = layout.read(values, factorName(path, 'E'));
    lambdas.forEach((lambda, i) => {
      lambdas[i] = lambda * (scale / common);
    });
  }
  const flags = modules.map(({ path, rank }) => [
    factorName(path, 'E'),
    Array.from({ length: init_r }, (_, i) => i < rank),
  ]);
  const config = { ...made.config, lora_alpha: computeAdaLoraAlpha(common, init_r) };
  const ranks = { init_r, rank_pattern: Object.fromEntries(flags) };
  return exportLowRank({ ...made, config, values }, { peft_type: 'ADALORA', ...keys, ...ranks });
}

/** The parts that differ between methods. */
interface ElasticParts<Config, Schema extends z.ZodObject> {
  /** Its name in a config (`method`) and its display name (`title`). */
  method: string;
  title: string;
  config: Schema;
  /** Number of vectors that the policy keeps. */
  averages: number;
  variants?(settings: AnySettings): string[];
  policy(config: Config, draw: Draw, tuner: AdaLoraTuner): RankPolicy;
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
    method,
    title,
    tags: ['adalora', method],
    averages,
    start(model, config, totalSteps, seed = 0) {
      const { r } = config;
      const schedule = resolveSchedule(config, totalSteps, method);
      const { totalStep: total_step, ...phases } = schedule;
      const tuner = AdaLoraTuner.create(model, { ...config, init_r: r });
      const complete = withTargets(model, config, 'many');
      return new ElasticRun({
        tuner,
        schedule,
        movement: config,
        policy: policy(config, seeded(seed), tuner),
        store: ({ modules, layout }, values, baseModel) =>
          storeTriplets(
            { model, modules, layout, values, baseModel, config: complete },
            { ...phases, total_step, target_r: r },
          ),
        assumed: assumedPhases(config, schedule),
      });
    },
    known: ({ target_r, ...start }) => ({ ...start, r: target_r }),
    variants: (settings) => [settings.schedule === 'constant' ? 'constant b' : [], variants(settings)].flat(),
    words: {
      summary: ({ r }) => (r === undefined ? undefined : `rank ${r} on average`),
      budgetKeys: ['r', 'lora_alpha'],
    },
  });
}
