import { attributesText, type Op, type Operands, type Ops, type TensorType } from './ops.ts';
import { inferTypes } from './shapes.ts';

/** One output of a node. */
export interface Value extends TensorType {
  readonly node: GraphNode;
  readonly index: number;
}

/** An op that is applied to inputs. Nodes are immutable and belong to one graph. */
export interface GraphNode<K extends Op = Op> {
  readonly graph: Graph;
  readonly id: number;
  readonly op: K;
  readonly inputs: Operands<Value>;
  readonly attributes: Ops[K];
  readonly outputs: Outputs;
  /** 0 for a first computation. {@link Graph.again} adds repetitions, numbered from 1. */
  readonly repeat: number;
}

type Outputs = readonly [Value, ...Value[]];
type Application<K extends Op> = Pick<GraphNode<K>, 'op' | 'inputs' | 'attributes' | 'repeat'>;

/**
 * An append-only list of nodes. Inputs come before their uses. Adding the same op to the same inputs again
 * returns the existing node. There is no other elimination of common subexpressions. Use {@link Graph.again}
 * to compute a value twice, so that its first result need not be kept.
 */
export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly #known = new Map<string, GraphNode>();

  /** Adds a leaf. Its type must be given, because it cannot be inferred. */
  leaf<K extends 'input' | 'weight' | 'constant'>(op: K, attributes: Ops[K], type: TensorType): Value {
    const key = `${op} ${attributesText(attributes)} ${type.dtype}[${type.shape}]`;
    return this.#intern(key, { op, inputs: operands([]), attributes, repeat: 0 }, () => [type]).outputs[0];
  }

  /** Adds an op and infers the types of its outputs. Throws an error that prints the op if the inputs do not fit. */
  add<K extends Op>(op: K, inputs: readonly Value[], attributes: Ops[K]): Outputs {
    return this.#apply({ op, inputs: operands(inputs), attributes, repeat: 0 });
  }

  /**
   * Adds a node that repeats the computation of another node. The values are bit for bit the same, but
   * neither this graph nor the engine merges the two nodes. So the first result can be freed before the
   * second is computed. Two calls for the same node return the same repetition; a call for the repetition
   * adds a third computation.
   *
   * @param inputs replace the node's inputs, if those are computed again too
   */
  again<K extends Op>(
    { op, inputs: nodeInputs, attributes, repeat }: GraphNode<K>,
    inputs: readonly Value[] = nodeInputs,
  ): Outputs {
    return this.#apply({ op, inputs: operands(inputs), attributes, repeat: repeat + 1 });
  }

  #apply<K extends Op>(application: Application<K>): Outputs {
    const { op, inputs, attributes, repeat } = application;
    const names = inputs.map(({ node, index }) => `${node.id}.${index}`);
    const key = `${op} ${names} ${attributesText(attributes)} ${repeat}`;
    return this.#intern(key, application, () => inferTypes(op, inputs, attributes)).outputs;
  }

  /** Returns the existing node with this key, or adds a new one. */
  #intern<K extends Op>(
    key: string,
    application: Application<K>,
    types: () => readonly TensorType[],
  ): GraphNode<K> {
    const known = this.#known.get(key);
    if (known) return known as GraphNode<K>;
    const outputs: Value[] = [];
    const node: GraphNode<K> = {
      graph: this,
      id: this.nodes.length,
      ...application,
      outputs: outputs as unknown as Outputs,
    };
    outputs.push(
      ...types().map(({ dtype, shape }, index) => ({ node: node as GraphNode, index, dtype, shape })),
    );
    this.nodes.push(node as GraphNode);
    this.#known.set(key, node as GraphNode);
    return node;
  }
}

function operands(inputs: readonly Value[]): Operands<Value> {
  return inputs as Operands<Value>;
}
