import { PROGRAM } from '../../support/program.ts';
import { identity } from './lower-graph.ts';
import {
  type AttributeFields,
  ELEMENT,
  type GraphFields,
  type LoweredGraph,
  type ValueInfoFields,
} from './schema.ts';

/** Value of `AttributeProto.AttributeType`. */
const GRAPH = 5;

export interface MergeChoice {
  /** Name of the boolean input [1] that selects the branch. */
  flag: string;
  /** From inputs of the program to the inputs of the model that replace them if the flag is true. */
  given: ReadonlyMap<string, ValueInfoFields>;
  /**
   * Computes these inputs if the flag is false. Its outputs have their names; no other name occurs in both programs.
   */
  computed: LoweredGraph;
}

/**
 * Merges two programs into one with a branch. A boolean input selects whether some inputs of `program` are read from
 * the model's inputs or computed.
 */
export function mergeChoice(program: LoweredGraph, { flag, given, computed }: MergeChoice): LoweredGraph {
  const names = [...given.keys()];
  const branch = (nodes: GraphFields['node'], suffix: string): GraphFields => ({
    name: `${PROGRAM}_${suffix}`,
    node: nodes,
    initializer: [],
    input: [],
    // The engine infers the types of the outputs.
    output: names.map((name) => ({ name })),
  });
  const taken = [...given].map(([name, { name: from }]) => identity(from, name));
  const choice = {
    name: flag,
    op_type: 'If',
    domain: '',
    input: [flag],
    output: names.map(chosen),
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
    values: [],
  };
}

/**
 * The new name of an input in the program. The outputs of a branch and the outputs of the choice must have different
 * names.
 */
function chosen(name: string): string {
  return `${name}.chosen`;
}

function graphAttribute(name: string, g: GraphFields): AttributeFields {
  return { name, type: GRAPH, g };
}
