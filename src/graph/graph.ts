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
  readonly node: GraphNode;
  readonly index: number;
}

/** An application of an op. Nodes are immutable and belong to one graph. */
export interface GraphNode<K extends Op = Op> {
  readonly graph: Graph;
  readonly id: number;
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attributes: Ops[K];
  readonly outputs: readonly Value[];
  /** How often the graph computes the same before this node: 0, but for those that {@link Graph.again} adds. */
  readonly repeat: number;
}

type Application<K extends Op> = Pick<GraphNode<K>, 'op' | 'inputs' | 'attributes' | 'repeat'>;

/**
 * An append-only list of nodes, inputs before uses. Equal applications are shared: adding the same op to the same
 * inputs twice gives the same node, which is all the common-subexpression elimination there is. What is to be computed
 * twice, so that its first result need not be kept, is added with {@link Graph.again}.
 */
export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly #known = new Map<string, GraphNode>();

  /** Adds a leaf, whose type cannot be inferred. */
  leaf<K extends 'input' | 'weight' | 'constant'>(op: K, attributes: Ops[K], type: TensorType): Value {
    const key = `${op} ${attributesText(attributes)} ${type.dtype}[${type.shape}]`;
    return this.#intern(key, { op, inputs: [], attributes, repeat: 0 }, () => [type]).outputs[0];
  }

  /** Adds an op and infers the types of its outputs; throws with the op printed when the inputs do not fit. */
  add<K extends Op>(op: K, inputs: readonly Value[], attributes: Ops[K]): readonly Value[] {
    return this.#apply({ op, inputs, attributes, repeat: 0 });
  }

  /**
   * Adds a second computation of a node: the same values bit for bit, but neither this graph nor the engine merges it
   * with the first, so that the first need not stay in memory until somebody reads the second. (The emitter tells the
   * engine.) All who ask for a second computation of one node get the same; that of a second one is a third.
   *
   * @param inputs in place of the node's own, where those are computed again too
   */
  again<K extends Op>({ op, inputs: own, attributes, repeat }: GraphNode<K>, inputs = own): readonly Value[] {
    return this.#apply({ op, inputs, attributes, repeat: repeat + 1 });
  }

  #apply<K extends Op>(application: Application<K>): readonly Value[] {
    const { op, inputs, attributes, repeat } = application;
    const operands = inputs.map(({ node, index }) => `${node.id}.${index}`);
    const key = `${op} ${operands} ${attributesText(attributes)} ${repeat}`;
    return this.#intern(key, application, () => inferTypes(op, inputs, attributes)).outputs;
  }

  /** The node known by this key; where there is none, a new one. */
  #intern<K extends Op>(
    key: string,
    application: Application<K>,
    types: () => readonly TensorType[],
  ): GraphNode<K> {
    const known = this.#known.get(key);
    if (known) return known as GraphNode<K>;
    const outputs: Value[] = [];
    const node: GraphNode<K> = { graph: this, id: this.nodes.length, ...application, outputs };
    outputs.push(
      ...types().map(({ dtype, shape }, index) => ({ node: node as GraphNode, index, dtype, shape })),
    );
    this.nodes.push(node as GraphNode);
    this.#known.set(key, node as GraphNode);
    return node;
  }
}

/** Attributes as stable text; symbolic sizes by their polynomial. */
export function attributesText(attributes: object): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value}]` : value}`)
    .join(' ');
}
