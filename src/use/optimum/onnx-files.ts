import { symbol } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { valueInfo } from '../../engine/onnx/emitter.ts';
import { lowerGraph } from '../../engine/onnx/lower-graph.ts';
import { mergeChoice } from '../../engine/onnx/merge-choice.ts';
import {
  type ByteStream,
  ELEMENT,
  type LoweredGraph,
  modelFields,
  type ValueInfoFields,
} from '../../engine/onnx/schema.ts';
import { streamModel } from '../../engine/onnx/stream-model.ts';
import type { ReadRange, Tuner } from '../../methods/tuners/tuner.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { type ModelGraph, modelGraphs } from './model-graphs.ts';
import { ONNX_DTYPES, type OnnxDtype } from './onnx-dtypes.ts';
import { PAST_KEY_VALUES, SOURCE } from './optimum-cache.ts';
import { FileWeights } from './weights/file-weights.ts';

/** Name of the input that states whether the cache has the encoder's keys and values. */
const FLAG = 'use_cache_branch';

export interface OnnxSource {
  model: TaskModel;
  /** The tuner of a method that adds layers. Its values are read as the parameter `ADAPTER`. */
  tuner?: Tuner;
  read: ReadRange;
}

/**
 * Returns the ONNX files of a model, by name: one or two for each type of weights, with their external data.
 *
 * @param maxBytes limit of a file; by default protobuf's
 */
export function onnxFiles(
  { model, tuner, read }: OnnxSource,
  dtypes: readonly OnnxDtype[],
  maxBytes?: number,
): { name: string; files: ReadonlyMap<string, ByteStream> }[] {
  const graphs = modelGraphs(model, tuner);
  return dtypes.flatMap((dtype) =>
    graphs.map((graph) => {
      const name = `${graph.name}${ONNX_DTYPES[dtype].suffix}.onnx`;
      const lowered = lowerModel(graph, new FileWeights(ONNX_DTYPES[dtype], read));
      // The types of values are those of float32 weights, so files of other types go without them.
      return { name, files: streamModel(modelFields({ ...lowered, values: [] }), name, maxBytes) };
    }),
  );
}

/**
 * The encoder's keys and values as the cache holds them. At first the cache is empty, so their number of tokens is a
 * separate symbol.
 */
function inCache(name: string, { dtype, shape }: Value): ValueInfoFields {
  const sizes = shape.map((size) => (size === SOURCE ? symbol(`past_${SOURCE}`) : size));
  return valueInfo(PAST_KEY_VALUES + name, ELEMENT[dtype], sizes);
}

function lowerModel({ outputs, keys }: ModelGraph, weights: FileWeights): LoweredGraph {
  const options = { target: 'wasm', weights, wideIntegers: true } as const;
  const program = lowerGraph(outputs, options);
  if (!keys) return program;
  const given = Object.entries(keys).map(([name, value]) => [name, inCache(name, value)] as const);
  const computed = lowerGraph(keys, { ...options, prefix: 'keys/' });
  return mergeChoice(program, { flag: FLAG, given: new Map(given), computed });
}
