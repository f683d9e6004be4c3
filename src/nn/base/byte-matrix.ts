import { type ByteMatrix, weight } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import { INTEGERS, SCALES } from './frozen-base.ts';

/** The stored matrix `name` [rows, columns] of bytes, with a scale for each column. */
export function byteMatrix(graph: Graph, name: string, rows: number, columns: number): ByteMatrix {
  return [weight(graph, name + INTEGERS, [rows, columns], 'uint8'), weight(graph, name + SCALES, [columns])];
}
