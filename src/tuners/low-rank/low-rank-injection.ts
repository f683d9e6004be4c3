import { concat, matmul, multiply, reshape, slice } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import type { Injection } from '../../nn/network.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import { type Factor, factorName, type LowRankModule } from './factors.ts';

export interface LowRankOptions {
  /** Whether a module has a diagonal between its two factors (AdaLoRA's λ). */
  diagonal: boolean;
  /** On the input of the adapters, in training. */
  dropout: (x: Value) => Value;
}

/**
 * The increments of LoRA and AdaLoRA. Modules that read the same input share its product with A: one product with
 * their rows stacked. (PEFT draws a dropout mask for each of them, here they share one.)
 */
export class LowRankInjection implements Injection {
  readonly #modules: ReadonlyMap<string, LowRankModule>;

  constructor(
    readonly layout: ParameterLayout,
    readonly flat: Value,
    modules: readonly LowRankModule[],
    readonly options: LowRankOptions,
  ) {
    this.#modules = new Map(modules.map((module) => [module.path, module]));
  }

  parameter(name: string): Value | undefined {
    return this.layout.find(name) && this.layout.value(this.flat, name);
  }

  increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    const adapted = paths.flatMap((path) => this.#modules.get(path) ?? []).filter(({ rank }) => rank > 0);
    if (adapted.length === 0) return paths.map(() => undefined);
    const stacked = (factor: Factor) =>
      concat(
        adapted.map(({ path }) => this.#tensor(path, factor)),
        0,
      );
    const rows = stacked('A');
    // λ multiplies A and not x·Aᵀ: A is smaller.
    const scaled = this.options.diagonal ? multiply(rows, reshape(stacked('E'), [rows.shape[0], 1])) : rows;
    const inner = matmul(this.options.dropout(x), scaled, { transposeB: true });
    let start = 0;
    const increments = new Map<string, Value>();
    for (const { path, rank, scale } of adapted) {
      const own = slice(inner, 1, start, start + rank);
      increments.set(path, matmul(own, this.#tensor(path, 'B'), { transposeB: true, scale }));
      start += rank;
    }
    return paths.map((path) => increments.get(path));
  }

  #tensor(path: string, factor: Factor): Value {
    return this.layout.value(this.flat, factorName(path, factor));
  }
}
