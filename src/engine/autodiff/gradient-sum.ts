import { add, concat, pad } from '../graph/build.ts';
import { addDimensions } from '../graph/dimension.ts';
import type { GraphNode, Value } from '../graph/graph.ts';

type Pad = GraphNode<'pad'>;

/**
 * The sum of the gradients that a value receives from its uses. Gradients of adjacent slices are
 * concatenated, which is cheaper than padding each with zeros and adding them.
 */
export class GradientSum {
  #whole: Value | undefined;
  #slices: Pad[] = [];

  add(gradient: Value): void {
    if (gradient.node.op === 'pad' && hasFixedStart(gradient.node as Pad)) {
      this.#slices.push(gradient.node as Pad);
    } else this.#addWhole(gradient);
  }

  total(): Value {
    for (const run of groupAdjacent(this.#slices)) this.#addWhole(joined(run));
    this.#slices = [];
    return this.#whole as Value;
  }

  #addWhole(gradient: Value): void {
    this.#whole = this.#whole ? add(this.#whole, gradient) : gradient;
  }
}

function hasFixedStart({ inputs: [slice], attributes: { axis, before } }: Pad): boolean {
  return typeof before === 'number' && typeof slice.shape[axis] === 'number';
}

function groupAdjacent(slices: readonly Pad[]): Pad[][] {
  const runs: Pad[][] = [];
  for (const slice of slices.toSorted((a, b) => readStart(a) - readStart(b))) {
    const run = runs.find((run) => follows(slice, run[run.length - 1]!));
    if (run) run.push(slice);
    else runs.push([slice]);
  }
  return runs;
}

function follows(next: Pad, { inputs: [slice], attributes: { axis, before } }: Pad): boolean {
  return next.attributes.axis === axis && readStart(next) === addDimensions(before, slice.shape[axis]!);
}

function readStart({ attributes: { before } }: Pad): number {
  return before as number;
}

function joined(run: readonly Pad[]): Value {
  const { axis, before } = run[0]!.attributes;
  const slices = run.map(({ inputs: [slice] }) => slice);
  return pad(concat(slices, axis), axis, before, run[run.length - 1]!.attributes.after);
}
