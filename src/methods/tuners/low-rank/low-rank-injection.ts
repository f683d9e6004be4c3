import { concat, matmul, multiply, reshape, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { Injection } from '../../../models/nn/network.ts';
import { type ParameterLayout, stackValue } from '../parameter-layout.ts';
import type { FrozenTensors } from '../tuner.ts';
import { factorName, type LowRankModule } from './factors.ts';

export interface LowRankOptions {
  /** Whether a module has a diagonal between its two factors (AdaLoRA's λ). */
  diagonal: boolean;
  /** Applied to the input of the adapters, in training. */
  dropout: (x: Value) => Value;
  /** Factors that are not trained. */
  frozen?: FrozenTensors;
}

/**
 * The increments of LoRA and AdaLoRA. Modules that read the same input are computed together: the input is multiplied
 * once with their stacked A. They also share one dropout mask, whereas PEFT draws a mask per module.
 */
export class LowRankInjection implements Injection {
  protected readonly modules: ReadonlyMap<string, LowRankModule>;
  readonly parameter: (name: string) => Value | undefined;

  /** @param layout with a diagonal, the E of modules with stacked A must be stacked in the same order */
  constructor(
    readonly layout: ParameterLayout,
    readonly flat: Value,
    modules: readonly LowRankModule[],
    readonly options: LowRankOptions,
  ) {
    this.modules = new Map(modules.map((module) => [module.path, module]));
    this.parameter = layout.own(flat);
  }

  increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    return this.products(paths, this.options.dropout(x));
  }

  /** The increments of modules, for their input after dropout. */
  protected products(paths: readonly string[], x: Value): (Value | undefined)[] {
    const adapted = paths.flatMap((path) => this.modules.get(path) ?? []).filter(({ rank }) => rank > 0);
    if (adapted.length === 0) return paths.map(() => undefined);
    const rows = joinedSlices(adapted.map(({ path }) => this.#rows(path)));
    const increments = multiplyFactors(x, rows, adapted, (inner, { path, scale }) =>
      matmul(inner, this.layout.value(this.flat, factorName(path, 'B')), { transposeB: true, scale }),
    );
    return paths.map((path) => increments.get(path));
  }

  /**
   * The rows of a module's A, multiplied by λ. λ multiplies A because A is smaller than x·Aᵀ. It does so once for a
   * whole stack.
   */
  #rows(path: string): Rows {
    const name = factorName(path, 'A');
    const { frozen } = this.options;
    const still = frozen?.layout.find(name);
    if (still) return { of: frozen!.value(this.flat.node.graph, name), from: 0, to: still.shape[0]! };
    const stacked = stackValue(this.flat, this.layout.get(name).stack);
    const [from, to] = this.layout.rows(name);
    if (!this.options.diagonal) return { of: stacked, from, to };
    const diagonal = stackValue(this.flat, this.layout.get(factorName(path, 'E')).stack);
    return { of: multiply(stacked, reshape(diagonal, [stacked.shape[0]!, 1])), from, to };
  }
}

/**
 * Products of low rank for modules that read the same x, by their paths.
 *
 * @param rows the A of all modules, stacked: one product of x with all of them
 * @param times multiplies a module's part of that product by its other factor
 */
export function multiplyFactors<Module extends { path: string; rank: number }>(
  x: Value,
  rows: Value,
  modules: readonly Module[],
  times: (inner: Value, module: Module) => Value,
): Map<string, Value> {
  const inner = matmul(x, rows, { transposeB: true });
  const products = new Map<string, Value>();
  let start = 0;
  for (const module of modules) {
    const own = slice(inner, inner.shape.length - 1, start, start + module.rank);
    products.set(module.path, times(own, module));
    start += module.rank;
  }
  return products;
}

/** The rows [from, to) of a matrix. */
interface Rows {
  of: Value;
  from: number;
  to: number;
}

/** Concatenates rows. Adjacent rows are sliced together. */
function joinedSlices(parts: readonly Rows[]): Value {
  const runs: Rows[] = [];
  for (const part of parts) {
    const run = runs.at(-1);
    if (run?.of === part.of && run.to === part.from) run.to = part.to;
    else runs.push({ ...part });
  }
  return concat(
    runs.map(({ of, from, to }) => slice(of, 0, from, to)),
    0,
  );
}
