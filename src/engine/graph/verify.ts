import { sameShape } from './dimension.ts';
import type { Value } from './graph.ts';
import { LEAVES } from './ops.ts';
import { printNode, printType, reachable } from './print.ts';
import { inferTypes } from './shapes.ts';

/**
 * Checks the program that computes `values`: all nodes are in one graph, inputs come before uses, types are
 * as inferred, and names are unique. Throws an error that prints the bad node. Call it after every pass.
 */
export function verify(values: readonly Value[]): void {
  const names = new Set<string>();
  for (const node of reachable(values)) {
    const fail = (message: string) => new Error(`bad node %${node.id} = ${printNode(node)}: ${message}`);
    for (const operand of node.inputs) {
      if (operand.node.graph !== node.graph) throw fail(`operand %${operand.node.id} is of another graph`);
      if (operand.node.id >= node.id) throw fail(`operand %${operand.node.id} comes later`);
      if (operand.node.outputs[operand.index] !== operand) throw fail('operand is not an output of its node');
    }
    if ('name' in node.attributes) {
      const { name } = node.attributes;
      if (names.has(name)) throw fail(`a second leaf named ${name}, of another kind or type`);
      names.add(name);
    }
    if (LEAVES.has(node.op)) continue;
    inferTypes(node.op, node.inputs, node.attributes).forEach((type, i) => {
      const output = node.outputs[i]!;
      if (type.dtype !== output.dtype || !sameShape(type.shape, output.shape)) {
        throw fail(`output ${i} is ${printType(output)}, should be ${printType(type)}`);
      }
    });
  }
}
