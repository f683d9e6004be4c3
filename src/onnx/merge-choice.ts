import { PROGRAM } from '../support/program.ts';
import { identity, type LoweredGraph } from './lower-graph.ts';
import { type AttributeFields, ELEMENT, type GraphFields, type ValueInfoFields } from './schema.ts';

/** AttributeProto.AttributeType */
const GRAPH = 5;

export interface Choice {
  /** The boolean input that decides, [1]. */
  flag: string;
  /** From the program's inputs to the model's inputs that replace them if the flag is true. */
  given: ReadonlyMap<string, ValueInfoFields>;
  /**
   * Computes the same values if the flag is false. Its outputs are named after those inputs; it shares no other name.
   */
  computed: LoweredGraph;
}

/**
 * Merges a program with a branch: a boolean input selects whether some of the program's inputs are inputs of the
 * model or computed.
 */
export function mergeChoice(program: LoweredGraph, { flag, given, computed }: Choice): LoweredGraph {
  const names = [...given.keys()];
  const branch = (nodes: GraphFields['node'], suffix: string): GraphFields => ({
    name: `${PROGRAM}_${suffix}`,
    node: nodes,
    initializer: [],
    input: [],
    // Their types follow from the nodes.
    output: names.map((name) => ({ name })),
  });
  const taken = [...given].map(([name, { name: from }]) => identity(from, name));
  const choice = {
    ...{ name: flag, op_type: 'If', domain: '', input: [flag], output: names.map(chosen) },
    attribute: [
      graphAttribute('then_branch', branch(taken, 'given')),
      graphAttribute('else_branch', branch(computed.nodes, 'computed')),
    ],
  };
  const inputs = new Map(
    [...program.inputs, ...computed.inputs, ...given.values()]
      .filter(({ name }) => !given.has(name))
      .map((input) => [input.name, input]),
  );
  const initializers = new Map(
    [...program.initializers, ...computed.initializers].map((tensor) => [tensor.name, tensor]),
  );
  const decides = {
    name: flag,
    type: { tensor_type: { elem_type: ELEMENT.bool, shape: { dim: [{ dim_value: 1 }] } } },
  };
  return {
    nodes: [
      choice,
      ...program.nodes.map((node) => ({
        ...node,
        input: node.input.map((name) => (given.has(name) ? chosen(name) : name)),
      })),
    ],
    initializers: [...initializers.values()],
    inputs: [...inputs.values(), decides],
    outputs: program.outputs,
  };
}

/**
 * The name that replaces an input's name in the program, because the outputs of a branch need other names than the
 * outputs of the choice.
 */
function chosen(name: string): string {
  return `${name}.chosen`;
}

function graphAttribute(name: string, g: GraphFields): AttributeFields {
  return { name, type: GRAPH, g };
}
