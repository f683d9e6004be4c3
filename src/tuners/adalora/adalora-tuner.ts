import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { type Factor, factorName, type LowRankModule } from '../low-rank/factors.ts';
import { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { adaLoraScale } from '../low-rank/scales.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { Regularizer, TunableModel } from '../tuner.ts';
import type { AdaLoraConfig } from './config.ts';
import { keptCount } from './kept-count.ts';
import { orthogonality } from './orthogonality.ts';
import type { TripletModule } from './triplet-module.ts';

/** Standard deviation of the initial P and Q. */
const INITIAL_STD = 0.02;
/** AdaLoRA (Zhang et al., 2023): y += alpha / init_r · x Qᵀ diag(λ) Pᵀ, with Q, λ and P in PEFT's names. */
export class AdaLoraTuner extends LowRankTuner {
  protected readonly diagonal = true;
  readonly regularizer: Regularizer;
  /** Where the allocator finds the triplets, modules in order. */
  readonly triplets: readonly TripletModule[];

  constructor(
    readonly config: AdaLoraConfig,
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
  ) {
    const groups = factorGroups(modules.filter(({ rank }) => rank > 0));
    const empty = factorGroups(modules.filter(({ rank }) => rank === 0));
    const layout = new ParameterLayout([
      ...[...groups, ...empty].flatMap(({ members }) => members),
      ...modules.map(({ path, rank }) => ({ name: factorName(path, 'E'), shape: [rank] })),
      ...saved,
    ]);
    super(layout, modules, saved, config.lora_dropout);
    const start = (path: string, factor: Factor) => layout.get(factorName(path, factor)).start;
    this.triplets = modules.map(({ path, rank, inFeatures, outFeatures }) => ({
      name: path,
      rank,
      inFeatures,
      outFeatures,
      offsets: { A: start(path, 'A'), E: start(path, 'E'), B: start(path, 'B') },
    }));
    this.regularizer = {
      weight: config.orth_reg_weight,
      views: groups.map(({ members }) => [members.length, ...members[0].shape]),
      build: (views) =>
        orthogonality(
          groups.map(({ side }, i) => ({ side, factors: views[i] })),
          config.orthogonality,
          2 * modules.length,
        ),
    };
  }

  /** The tuner of a run's start: every adapted module with `init_r` triplets. */
  static create(model: TunableModel, config: AdaLoraConfig): AdaLoraTuner {
    const scale = adaLoraScale(config);
    const modules = adaptedModules(model, config, model.definition.targetModules.many).map((module) => ({
      ...module,
      rank: config.init_r,
      scale,
    }));
    return new AdaLoraTuner(config, modules, savedParameters(model, config, modules));
  }

  /** P and Q normal with standard deviation 0.02, λ zero: the increment starts at zero. */
  protected initialiseFactors(values: Float32Array, seed: number): void {
    for (const { path } of this.modules) {
      for (const factor of ['A', 'B'] as const) {
        const name = factorName(path, factor);
        const tensor = this.layout.read(values, name);
        tensor.set(new Random(seed, `init ${name}`).normals(tensor.length, INITIAL_STD));
      }
    }
  }

  /** The tuner after the dropped triplets are removed (1 in `keep` for each kept one, modules in order). */
  shrink(keep: readonly Uint8Array[]): AdaLoraTuner {
    const modules = this.modules.map((module, k) => ({
      ...module,
      rank: keptCount(keep[k]),
    }));
    return new AdaLoraTuner(this.config, modules, this.saved);
  }
}

/** Factors of one shape: they lie side by side in the vector, so that the regularizer takes them as one tensor. */
interface Group {
  side: 'rows' | 'columns';
  members: TrainedParameter[];
}

function factorGroups(modules: readonly LowRankModule[]): Group[] {
  const groups = new Map<string, Group>();
  const put = (side: Group['side'], name: string, shape: readonly number[]) => {
    const key = `${side} ${shape}`;
    const group = groups.get(key) ?? { side, members: [] };
    group.members.push({ name, shape });
    groups.set(key, group);
  };
  for (const { path, rank, inFeatures } of modules) put('rows', factorName(path, 'A'), [rank, inFeatures]);
  for (const { path, rank, outFeatures } of modules)
    put('columns', factorName(path, 'B'), [outFeatures, rank]);
  return [...groups.values()];
}
