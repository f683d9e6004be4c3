import { matmul, multiply, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { Injection, LinearModule } from '../../../models/nn/network.ts';
import type { Banked } from '../bank/bank-form.ts';
import { FrozenTensors } from '../frozen-tensors.ts';
import { bankedFactors } from '../low-rank/banked-factors.ts';
import { factorName } from '../low-rank/factors.ts';
import type { Factored } from '../low-rank/low-rank-tuner.ts';
import { mergedReader } from '../low-rank/merged-reader.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, ReadRange, TunedSite, Tuner } from '../tuner.ts';
import { TorchRandom } from './torch-random.ts';

/** How the vectors are trained. */
export interface VeraSettings {
  r: number;
  dropout: number;
  /** Initial value of λ_d. */
  initial: number;
  /** Seed of A and B. */
  seed: number;
}

/** PEFT's names of a module's vectors, and of the shared matrices. */
export const VERA = { d: 'vera_lambda_d', b: 'vera_lambda_b', A: 'vera_A', B: 'vera_B' } as const;

/**
 * VeRA (Kopiczko et al., ICLR 2024, arXiv 2310.11454): y += λ_b ∘ B (λ_d ∘ (A x)). All modules share the frozen random
 * matrices A and B. Each module uses as much of them as its width needs. The vectors λ_d [r] and λ_b [out] are trained.
 */
export class VeraTuner implements Tuner {
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
      this.layout.read(values, `${path}.${VERA.d}`).fill(this.settings.initial);
    for (const { name, shape } of this.saved) this.layout.read(values, name).set(read(name, shape));
    return values;
  }

  /** Fills A and B as PEFT does: uniformly, with Kaiming's bound for their inputs. */
  drawProjections(): void {
    const random = new TorchRandom(this.settings.seed);
    for (const { name, shape } of this.frozen.layout.segments) {
      const bound = Math.sqrt(6 / shape[1]!);
      random.uniform(this.frozen.read(name), -bound, bound);
    }
  }

  inject(flat: Value, dropout: (x: Value, probability: number) => Value): Injection {
    const { graph } = flat.node;
    const modules = new Map(this.modules.map((module) => [module.path, module]));
    return {
      parameter: (name) => (this.layout.find(name) ? this.layout.value(flat, name) : undefined),
      increments: (paths, x) => {
        if (!paths.some((path) => modules.has(path))) return paths.map(() => undefined);
        const rows = slice(this.frozen.value(graph, VERA.A), 1, 0, x.shape[1]!);
        const inner = matmul(dropout(x, this.settings.dropout), rows, { transposeB: true });
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
    for (const { name } of this.saved) layout.read(made, name).set(this.layout.read(values, name));
    const [a, width] = [this.frozen.read(VERA.A), this.frozen.layout.get(VERA.A).shape[1]];
    const b = this.frozen.read(VERA.B);
    for (const { path, inFeatures } of modules) {
      const vector = (part: 'd' | 'b') => this.layout.read(values, `${path}.${VERA[part]}`);
      const [d, own] = [vector('d'), layout.read(made, factorName(path, 'A'))];
      for (let i = 0; i < own.length; i++) {
        const row = Math.floor(i / inFeatures);
        own[i] = d[row]! * a[row * width! + (i % inFeatures)]!;
      }
      const [shares, columns] = [vector('b'), layout.read(made, factorName(path, 'B'))];
      for (let i = 0; i < columns.length; i++) columns[i] = shares[Math.floor(i / r)]! * b[i]!;
    }
    return { modules, layout, values: made };
  }
}

function widest(modules: readonly LinearModule[], side: 'inFeatures' | 'outFeatures'): number {
  return Math.max(...modules.map((module) => module[side]));
}
