import { matmul, subtract } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { AT_START, factorName } from '../low-rank/factors.ts';
import { LowRankInjection } from '../low-rank/low-rank-injection.ts';

/**
 * LoRA that starts from a part of the weight. The module computes with W - s B₀ A₀ instead of W. The stored weight does
 * not change, because the initial increment is subtracted from the current increment. Without initial factors it is
 * plain LoRA.
 */
export class StartedInjection extends LowRankInjection {
  protected override products(paths: readonly string[], x: Value): (Value | undefined)[] {
    return super.products(paths, x).map((increment, i) => {
      const start = this.start(paths[i]!);
      const scale = this.modules.get(paths[i]!)?.scale;
      if (!increment || !start || scale === undefined) return increment;
      const taken = matmul(matmul(x, start.a, { transposeB: true }), start.b, { transposeB: true, scale });
      return subtract(increment, taken);
    });
  }

  /** A module's initial factors A₀ and B₀. */
  protected start(path: string): { a: Value; b: Value } | undefined {
    const { frozen } = this.options;
    const [a, b] = (['A', 'B'] as const).map((factor) => factorName(path, factor) + AT_START) as [
      string,
      string,
    ];
    if (!frozen?.layout.find(a)) return undefined;
    const { graph } = this.flat.node;
    return { a: frozen.value(graph, a), b: frozen.value(graph, b) };
  }
}
