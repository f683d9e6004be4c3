import { z } from 'zod';
import { matmul, multiply, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { Injection, LinearModule } from '../../../models/nn/network.ts';
import { largest } from '../../../support/numbers.ts';
import type { Banked } from '../bank/bank-form.ts';
import { factorName, factorsIn } from '../low-rank/factors.ts';
import { bankedFactors, type Factored, mergedReader } from '../low-rank/low-rank-tuner.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import { assertShape, listParameters, type PeftFiles, peftKind, peftRun } from '../peft/peft-files.ts';
import { fileSchema, rank, targetShape } from '../peft/settings.ts';
import { adaptedModules, withTargets } from '../targets/adapted-modules.ts';
import {
  type Dropout,
  FrozenTensors,
  type ReadParameter,
  type ReadRange,
  type TunedSite,
  type Tuner,
} from '../tuner.ts';
import { savedParameters } from '../whole-parameters.ts';

const SIZE = 624;
const SHIFT = 397;

/**
 * PyTorch's generator on the CPU: MT19937 (Matsumoto and Nishimura, 1998). VeRA's files may contain only the seed of
 * the random matrices, so they must be drawn with the same generator.
 */
class TorchRandom {
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;

  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < SIZE; i++) {
      const before = this.#state[i - 1]! ^ (this.#state[i - 1]! >>> 30);
      this.#state[i] = Math.imul(before, 1_812_433_253) + i;
    }
  }

  /** Fills a tensor as `tensor.uniform_(from, to)` does. */
  uniform(tensor: Float32Array, from: number, to: number): void {
    const [least, width] = [Math.fround(from), Math.fround(Math.fround(to) - Math.fround(from))];
    // 24 bits are the precision of float32.
    for (let i = 0; i < tensor.length; i++)
      tensor[i] = ((this.#bits() & 0xff_ffff) / 2 ** 24) * width + least;
  }

  #bits(): number {
    if (this.#at === SIZE) this.#turn();
    let bits = this.#state[this.#at++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c_5680;
    bits ^= (bits << 15) & 0xefc6_0000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  #turn(): void {
    for (let i = 0; i < SIZE; i++) {
      const next = this.#state[(i + 1) % SIZE]!;
      const mixed = (this.#state[i]! & 0x8000_0000) | (next & 0x7fff_ffff);
      this.#state[i] = this.#state[(i + SHIFT) % SIZE]! ^ (mixed >>> 1) ^ (next & 1 ? 0x9908_b0df : 0);
    }
    this.#at = 0;
  }
}

/** How the vectors are trained. */
type VeraSettings = Pick<VeraConfig, 'r' | 'vera_dropout' | 'd_initial' | 'projection_prng_key'>;

/** PEFT's names of a module's vectors, and of the shared matrices. */
export const VERA = { d: 'vera_lambda_d', b: 'vera_lambda_b', A: 'vera_A', B: 'vera_B' } as const;

/**
 * VeRA (Kopiczko et al., ICLR 2024, arXiv 2310.11454): y += λ_b ∘ B (λ_d ∘ (A x)). All modules share the frozen random
 * matrices A and B. Each module uses as much of them as its width needs. The vectors λ_d [r] and λ_b [out] are trained.
 */
class VeraTuner implements Tuner {
  readonly layout: ParameterLayout;
  readonly sites: readonly TunedSite[];
  readonly frozen: FrozenTensors;

  constructor(
    readonly settings: VeraSettings,
    readonly modules: readonly LinearModule[],
    /** Parameters of the model that are trained in full: the head, biases. */
    readonly saved: readonly TrainedParameter[],
  ) {
    const { r } = settings;
    const vectors = modules.flatMap(({ path, outFeatures }) => [
      { name: `${path}.${VERA.b}`, shape: [outFeatures] },
      { name: `${path}.${VERA.d}`, shape: [r] },
    ]);
    this.layout = new ParameterLayout([...vectors, ...saved]);
    this.sites = modules.map(({ path, outFeatures }) => ({ path, parameters: r + outFeatures }));
    this.frozen = new FrozenTensors([
      { name: VERA.A, shape: [r, widest(modules, 'inFeatures')] },
      { name: VERA.B, shape: [widest(modules, 'outFeatures'), r] },
    ]);
  }

  /** Sets λ_b to zero, so the increment is zero at first. */
  initialValues(_seed: number, read: ReadParameter): Float32Array {
    this.drawProjections();
    const values = new Float32Array(this.layout.length);
    for (const { path } of this.modules)
      this.layout.read(values, `${path}.${VERA.d}`).fill(this.settings.d_initial);
    return this.layout.readInto(values, this.saved, read);
  }

  /** Fills A and B as PEFT does: uniformly, with Kaiming's bound for their inputs. */
  drawProjections(): void {
    const random = new TorchRandom(this.settings.projection_prng_key);
    for (const { name, shape } of this.frozen.layout.segments) {
      const bound = Math.sqrt(6 / shape[1]!);
      random.uniform(this.frozen.read(name), -bound, bound);
    }
  }

  inject(flat: Value, dropout: Dropout): Injection {
    const { graph } = flat.node;
    const modules = new Map(this.modules.map((module) => [module.path, module]));
    return {
      parameter: this.layout.own(flat),
      increments: (paths, x) => {
        if (!paths.some((path) => modules.has(path))) return paths.map(() => undefined);
        const rows = slice(this.frozen.value(graph, VERA.A), 1, 0, x.shape[1]!);
        const inner = matmul(dropout(x, this.settings.vera_dropout), rows, { transposeB: true });
        return paths.map((path) => {
          const module = modules.get(path);
          if (!module) return undefined;
          const columns = slice(this.frozen.value(graph, VERA.B), 0, 0, module.outFeatures);
          const vector = (part: 'd' | 'b') => this.layout.value(flat, `${path}.${VERA[part]}`);
          const product = matmul(multiply(inner, vector('d')), columns, { transposeB: true });
          return multiply(product, vector('b'));
        });
      },
    };
  }

  merged(values: Float32Array, readBase: ReadRange): ReadRange {
    return mergedReader(this.#factored(values), readBase);
  }

  readonly bank = (values: Float32Array): Banked => ({
    parts: [bankedFactors(this.#factored(values))],
    saved: this.saved,
  });

  /** Converts the increments to LoRA factors of rank r: A = λ_d ∘ A, B = λ_b ∘ B. */
  #factored(values: Float32Array): Factored {
    const { r } = this.settings;
    const modules = this.modules.map((module) => ({ ...module, rank: r, scale: 1 }));
    const layout = new ParameterLayout([
      ...modules.flatMap(({ path, inFeatures, outFeatures }) => [
        { name: factorName(path, 'A'), shape: [r, inFeatures] },
        { name: factorName(path, 'B'), shape: [outFeatures, r] },
      ]),
      ...this.saved,
    ]);
    const made = new Float32Array(layout.length);
    layout.readInto(made, this.saved, (name) => this.layout.read(values, name));
    const [a, width] = [this.frozen.read(VERA.A), this.frozen.layout.get(VERA.A).shape[1]];
    const b = this.frozen.read(VERA.B);
    for (const { path, inFeatures } of modules) {
      const vector = (part: 'd' | 'b') => this.layout.read(values, `${path}.${VERA[part]}`);
      const { A, B } = factorsIn(layout, made, path);
      const [d, shares] = [vector('d'), vector('b')];
      for (let i = 0; i < A.length; i++) {
        const row = Math.floor(i / inFeatures);
        A[i] = d[row]! * a[row * width! + (i % inFeatures)]!;
      }
      for (let i = 0; i < B.length; i++) B[i] = shares[Math.floor(i / r)]! * b[i]!;
    }
    return { modules, layout, values: made };
  }
}

function widest(modules: readonly LinearModule[], side: 'inFeatures' | 'outFeatures'): number {
  return Math.max(0, largest(modules.map((module) => module[side])));
}

const { target_modules, layers_to_transform, layers_pattern, modules_to_save } = targetShape;

/** VeRA's settings: PEFT's keys and defaults. */
const veraConfigSchema = z.strictObject({
  /** Rank of the shared matrices. It is higher than LoRA's because it adds few parameters. */
  r: rank.default(256),
  /** Modules to adapt: names, or a regular expression. */
  target_modules,
  /** Numbers of the layers to adapt. Default: all. */
  layers_to_transform,
  /** Name of the list of layers in module paths. */
  layers_pattern,
  /** Modules to train in full besides the adapter. */
  modules_to_save,
  /** Seed of the shared matrices A and B. */
  projection_prng_key: z.int().min(0).max(0xffff_ffff).default(0),
  /**
   * Whether the adapter file contains A and B. Without A and B it is smaller, but a reader must generate them with the
   * same random generator.
   */
  save_projection: z.boolean().default(true),
  /** Dropout on the input of the increments. */
  vera_dropout: z.number().min(0).lt(1).default(0),
  /** Initial value of the factors between A and B. */
  d_initial: z.number().default(0.1),
  /** Biases to train and save with the adapter: none, those of the adapted layers, or all of the model. */
  bias: z.enum(['none', 'vera_only', 'all']).default('none'),
});

const schema = fileSchema(veraConfigSchema.shape, {
  init_weights: z.boolean().default(true),
  // A value that no run can train with may still be read.
  vera_dropout: z.number().default(0),
});

/** PEFT's files of VeRA. */
const VERA_FILES: PeftFiles<z.output<typeof schema>> = {
  peftType: 'VERA',
  schema,
  parts: [VERA.b, VERA.d],
  shared: [VERA.A, VERA.B],
};

/** Adapters of PEFT's type VERA. If the file lacks the shared matrices, they are generated from their seed. */
const veraKind = peftKind(
  VERA_FILES,
  ({ config, modules, shared, saved }, _model, where) => {
    // Before memory is allocated for the rank that the file names.
    for (const { path, tensors } of modules)
      assertShape(`${where}: ${path}.${VERA.d}`, tensors.get(VERA.d), [config.r]);
    const tuner = new VeraTuner(config, modules, listParameters(saved));
    if (shared.size === 0) tuner.drawProjections();
    return tuner;
  },
  ({ r }) => ({ settings: { r } }),
);

type VeraConfig = z.infer<typeof veraConfigSchema>;

/** VeRA (Kopiczko et al., ICLR 2024), with the keys and files of PEFT. */
export const vera: MethodDefinition<VeraConfig, typeof veraConfigSchema> = {
  config: veraConfigSchema,
  // The paper's learning rate for RoBERTa base on GLUE.
  learningRate: 4e-3,
  chosen: { encoder: { rate: 1e-2 }, language: { rate: 4e-3 } },
  trains: 'adapter',
  vectors: 5,
  start(model, config) {
    const complete = withTargets(model, config, 'few');
    const modules = adaptedModules(model, complete);
    const bias = config.bias === 'vera_only' ? 'lora_only' : config.bias;
    const tuner = new VeraTuner(config, modules, savedParameters(model, { ...config, bias }, modules));
    return peftRun(VERA_FILES, tuner, {
      model,
      config: complete,
      modules,
      ...(config.save_projection && {
        shared: () => tuner.frozen.layout.tensors(tuner.frozen.values),
      }),
    });
  },
  kind: veraKind,
  words: {
    title: 'VeRA',
    tags: ['peft', 'vera'],
    library: 'peft',
    summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`),
    budgetKeys: ['r'],
  },
};
