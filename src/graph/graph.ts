import type { Dimension } from './dimension.ts';
import type { DataType, Op, Ops } from './ops.ts';
import { inferTypes } from './shapes.ts';

/** Element type and shape of a value. */
export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly Dimension[];
}

/** One output of a node. */
export interface Value extends TensorType {
  readonly node: Node;
  readonly index: number;
}

/** An application of an op. Nodes are immutable and belong to one graph. */
export interface Node<K extends Op = Op> {
  readonly graph: Graph;
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attributes: Ops[K];
  readonly outputs: readonly Value[];
}

/**
 * An append-only list of nodes, inputs before uses. Equal applications are shared: adding the same op to the same
 * inputs twice gives the same node, which is all the common-subexpression elimination there is.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly #known = new Map<string, Node>();

  /** Adds a leaf, whose type cannot be inferred. */
  leaf<K extends 'input' | 'weight' | 'constant'>(op: K, attributes: Ops[K], type: TensorType): Value {
    return this.#intern(op, [], attributes, () => [type], `${type.dtype}[${type.shape}]`).outputs[0];
  }

  /** Adds an op and infers the types of its outputs; throws with the op printed when the inputs do not fit. */
  add<K extends Op>(op: K, inputs: readonly Value[], attributes: Ops[K]): readonly Value[] {
    return this.#intern(op, inputs, attributes, () => inferTypes(op, inputs, attributes), '').outputs;
  }

  #intern<K extends Op>(
    op: K,
    inputs: readonly Value[],
    attributes: Ops[K],
    types: () => readonly TensorType[],
    extra: string,
  ): Node<K> {
    const key = `${op} ${inputs.map(({ node, index }) => `${node.id}.${index}`)} ${attributesText(attributes)} ${extra}`;
    const known = this.#known.get(key);
    if (known) return known as Node<K>;
    const outputs: Value[] = [];
    const node: Node<K> = { graph: this, id: this.nodes.length, op, inputs, attributes, outputs };
    outputs.push(...types().map(({ dtype, shape }, index) => ({ node: node as Node, index, dtype, shape })));
    this.nodes.push(node as Node);
    this.#known.set(key, node as Node);
    return node;
  }
}

/** Attributes as stable text; symbolic sizes by their polynomial. */
export function attributesText(attributes: object): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value}]` : value}`)
    .join(' ');
}
