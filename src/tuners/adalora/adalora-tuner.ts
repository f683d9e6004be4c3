import type { Value } from '../../graph/graph.ts';
import { Random } from '../../support/random.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { LowRankModule, ReadParameter, Regularizer, TunableModel, Tuner } from '../tuner.ts';
import type { AdaLoraConfig } from './config.ts';
import { keptCount } from './kept-count.ts';
import { orthogonality } from './orthogonality.ts';
import type { TripletModule } from './triplet-module.ts';

/** Standard deviation of the initial P and Q. */
const INITIAL_STD = 0.02;
/** PEFT divides alpha by the rank plus this. */
const RANK_EPSILON = 1e-5;

/** alpha / init_r, also for a module that has lost triplets. */
export function adaLoraScale({ lora_alpha, init_r }: Pick<AdaLoraConfig, 'lora_alpha' | 'init_r'>): number {
  return lora_alpha / (init_r + RANK_EPSILON);
}

/** AdaLoRA (Zhang et al., 2023): y += alpha / init_r · x Qᵀ diag(λ) Pᵀ, with Q, λ and P in PEFT's names. */
export class AdaLoraTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly regularizer: Regularizer;
  /** Where the allocator finds the triplets, modules in order. */
  readonly triplets: readonly TripletModule[];

  constructor(
    readonly config: AdaLoraConfig,
    readonly modules: readonly LowRankModule[],
    readonly saved: readonly TrainedParameter[],
  ) {
    const groups = factorGroups(modules.filter(({ rank }) => rank > 0));
    const empty = factorGroups(modules.filter(({ rank }) => rank === 0));
    this.layout = new ParameterLayout([
      ...[...groups, ...empty].flatMap(({ members }) => members),
      ...modules.map(({ path, rank }) => ({ name: `${path}.lora_E`, shape: [rank] })),
      ...saved,
    ]);
    const start = (path: string, factor: string) => this.layout.get(`${path}.${factor}`).start;
    this.triplets = modules.map(({ path, rank, inFeatures, outFeatures }) => ({
      name: path,
      rank,
      inFeatures,
      outFeatures,
      offsets: {
        lora_A: start(path, 'lora_A'),
        lora_E: start(path, 'lora_E'),
        lora_B: start(path, 'lora_B'),
      },
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
    const scale = config.lora_alpha / (config.init_r + RANK_EPSILON);
    const modules = adaptedModules(model, config, model.definition.targetModules.adalora).map((module) => ({
      ...module,
      rank: config.init_r,
      scale,
    }));
    return new AdaLoraTuner(config, modules, savedParameters(model, config, modules));
  }

  /** P and Q normal with standard deviation 0.02, λ zero: the increment starts at zero. */
  initialValues(seed: number, read: ReadParameter): Float32Array {
    const values = new Float32Array(this.layout.length);
    for (const { path } of this.modules) {
      for (const factor of ['lora_A', 'lora_B']) {
        const tensor = this.layout.read(values, `${path}.${factor}`);
        tensor.set(new Random(seed, `init ${path}.${factor}`).normals(tensor.length, INITIAL_STD));
      }
    }
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  inject(flat: Value, dropout: (x: Value, probability: number) => Value): LowRankInjection {
    return new LowRankInjection(this.layout, flat, this.modules, {
      diagonal: true,
      dropout: (x) => dropout(x, this.config.lora_dropout),
    });
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
  for (const { path, rank, inFeatures } of modules) put('rows', `${path}.lora_A`, [rank, inFeatures]);
  for (const { path, rank, outFeatures } of modules) put('columns', `${path}.lora_B`, [outFeatures, rank]);
  return [...groups.values()];
}
