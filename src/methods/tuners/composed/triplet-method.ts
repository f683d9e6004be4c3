import { z } from 'zod';
import { AdaLoraTuner, type TripletSettings } from '../adalora/adalora-tuner.ts';
import { BUDGET_KEYS } from '../allocation/budget.ts';
import { continuesLowRank } from '../low-rank/continued-section.ts';
import { listRanks, parseFactor } from '../low-rank/factors.ts';
import { exportLowRank, lowRankKind, rankedModules } from '../low-rank/low-rank-files.ts';
import {
  adaLoraAlpha,
  scaleVariant,
  storedAdaLoraScale,
  withVariants,
} from '../low-rank/patterns-and-scales.ts';
import {
  ADALORA_FILES,
  type AdaLoraAdapterConfig,
  adapterConfigShape,
  scaleShape,
} from '../low-rank/peft-config.ts';
import type { AnySettings, ContinuesAdapters, MethodDefinition, MethodTexts } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { listParameters, type TunerOf } from '../peft/peft-files.ts';
import { rank } from '../peft/settings.ts';
import { withTargets } from '../targets/adapted-modules.ts';

/** Adapters of PEFT's type ADALORA: triplets with allocated or constant ranks. */
const adaLoraKind = lowRankKind(
  ADALORA_FILES,
  tripletsOfFile({ lora_dropout: 0, orth_reg_weight: 0 }),
  ({ init_r, target_r }) => ({ initialRank: init_r, settings: { init_r, target_r } }),
);

/** Makes the tuner of a stored adapter. Its file defines the adapter, and `settings` define how it is trained. */
function tripletsOfFile(settings: TripletSettings): TunerOf<AdaLoraAdapterConfig, AdaLoraTuner> {
  // A key may end in the adapter's name.
  const pathOf = (key: string) => (parseFactor(key) ?? parseFactor(key.slice(0, key.lastIndexOf('.'))))?.path;
  const { lora_dropout, orth_reg_weight } = settings;
  return (read, _model, where) => {
    const { config, saved } = read;
    const kept = new Map(
      Object.entries(config.rank_pattern ?? {}).map(([key, rows]) => [
        pathOf(key),
        rows.filter(Boolean).length,
      ]),
    );
    const modules = rankedModules(
      read,
      where,
      (path) => kept.get(path) ?? config.init_r,
      (_, rank) => storedAdaLoraScale(config, rank),
    );
    return new AdaLoraTuner({ lora_dropout, orth_reg_weight }, modules, listParameters(saved));
  };
}

/** The keys for initial values, scale and orthogonality term of triplets. They apply under every policy of ranks. */
export const tripletShape = {
  ...scaleShape,
  /**
   * Initial P and Q: normal with standard deviation 0.02 (loralib, PEFT), or orthonormal, which minimises the
   * orthogonality term (equation 4 of the paper).
   */
  init: z.enum(['normal', 'orthonormal']).default('normal'),
  /** Weight γ of the orthogonality term in the loss. */
  orth_reg_weight: z.number().min(0).default(0.5),
};

/** A method with AdaLoRA's triplets: its names, and the policy of its ranks. */
interface TripletMethod<Config, Schema extends z.ZodObject>
  extends Pick<MethodDefinition<Config, Schema>, 'config' | 'start'> {
  /** Its name in a config (`method`) and its display name (`title`). */
  method: string;
  title: string;
  /** Tags on the Hub besides `peft`. */
  tags: readonly string[];
  /** Number of vectors that the policy keeps for its scores, each as long as the vector of trained values. */
  averages: number;
  /** Describes settings of the policy that differ from the usual ones. */
  variants?(settings: AnySettings): readonly string[];
  words: Pick<MethodTexts, 'summary' | 'budgetKeys'>;
  /** The kind of its adapter files. Default: PEFT's AdaLoRA, whose adapters it continues. */
  kind?: MethodDefinition['kind'];
  /** Returns the settings of an adapter under the names of its section. Default: unchanged. */
  known?(start: AdaLoraAdapterConfig): AnySettings;
}

/** Defines a method that trains AdaLoRA's triplets under a policy of their ranks. */
export function tripletMethod<Config, Schema extends z.ZodObject>({
  method,
  title,
  tags,
  averages,
  variants = () => [],
  words,
  kind = adaLoraKind,
  known = (start) => start,
  ...parts
}: TripletMethod<Config, Schema>): MethodDefinition<Config, Schema> {
  return {
    ...parts,
    learningRate: 2e-3,
    chosen: {
      encoder: { rate: 5e-3, lora_alpha: 32 } as never,
      language: { rate: 5e-3, lora_alpha: 32 } as never,
    },
    trains: 'adapter',
    // Five vectors as in every method, and the policy's.
    vectors: 5 + averages,
    kind,
    continues: kind === adaLoraKind ? continuesTriplets(method, parts.config, known) : undefined,
    words: {
      title,
      titleWith: (settings) => withVariants(title, [variants(settings), tripletVariants(settings)]),
      tags: ['peft', ...tags],
      library: 'peft',
      components: 'triplets',
      factors: ['P', 'Q'],
      regularizer: () => 'mean of ‖PᵀP − I‖ and ‖QQᵀ − I‖',
      ...words,
    },
  };
}

/** Describes the settings of triplets that differ from the usual ones. */
function tripletVariants(settings: AnySettings): string[] {
  return [
    ...(settings.orth_reg_weight === 0 ? ['γ = 0'] : []),
    ...(settings.init === 'orthonormal' ? ['orthonormal start'] : []),
    ...scaleVariant(settings),
  ];
}

/** Keys that have an effect when a run continues an adapter. The others control allocation, and ranks stay the same. */
const TRAINING = ['lora_dropout', 'orth_reg_weight'];

/** Continues training of an adapter with triplets, at its ranks. */
function continuesTriplets<Config>(
  method: string,
  schema: z.ZodObject,
  known: (start: AdaLoraAdapterConfig) => AnySettings,
): ContinuesAdapters<Config> {
  return continuesLowRank({
    method,
    schema: schema as never,
    files: ADALORA_FILES,
    // The file's alpha already includes the scale of the original run. An alpha that PEFT ignores is no setting here.
    known(start) {
      const { lora_alpha, ...others } = known(start);
      const given = start.lora_alpha > 0 ? { lora_alpha } : {};
      return { ...others, ...given, scale: 'standard' };
    },
    tunerOf: (settings) => tripletsOfFile(settings as unknown as TripletSettings),
    meaningless: [...BUDGET_KEYS, ...Object.keys(schema.shape)].filter((key) => !TRAINING.includes(key)),
    notices: ["Training continues with the adapter's triplets. Their ranks do not change."],
  }) as unknown as ContinuesAdapters<Config>;
}

/** SVD-LoRA's settings: AdaLoRA's without the settings for allocation. */
const svdLoraConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Rank of every module. */
  r: rank.default(8),
  ...tripletShape,
});

type SvdLoraConfig = z.infer<typeof svdLoraConfigSchema>;

/**
 * SVD-LoRA, an ablation of the paper (table 5): AdaLoRA's triplets and orthogonality term at a constant rank. Its files
 * are AdaLoRA's, with every triplet kept.
 */
export const svdLora = tripletMethod<SvdLoraConfig, typeof svdLoraConfigSchema>({
  method: 'svd_lora',
  title: 'SVD-LoRA',
  tags: ['adalora', 'svd-lora'],
  config: svdLoraConfigSchema,
  averages: 0,
  start(model, config, totalSteps) {
    const { r, ...settings } = withTargets(model, config, 'many');
    const tuner = AdaLoraTuner.create(model, { ...settings, init_r: r });
    const { modules, layout } = tuner;
    const lora_alpha = adaLoraAlpha(settings, r);
    return staticRun(tuner, {
      ranks: listRanks(modules),
      store: (values, baseModel) =>
        exportLowRank(
          { model, config: { ...settings, lora_alpha }, modules, layout, values, baseModel },
          // PEFT rejects a config without total_step. The schedule has no phases.
          { peft_type: 'ADALORA', init_r: r, target_r: r, total_step: totalSteps },
        ),
    });
  },
  known: ({ init_r, ...config }) => ({ ...config, r: init_r }),
  words: { summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`), budgetKeys: ['r', 'lora_alpha'] },
});
