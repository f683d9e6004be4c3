import { gradients } from '../../engine/autodiff/gradients.ts';
import {
  add,
  after,
  concat,
  divide,
  input,
  multiply,
  reshape,
  slice,
  stopGradient,
  watch,
} from '../../engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Op } from '../../engine/graph/ops.ts';
import { reachable } from '../../engine/graph/print.ts';
import type { HeadKind } from '../../models/heads/registry.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { crossEntropy, crossEntropySums } from '../../models/nn/losses.ts';
import { LABEL_ROWS } from './labelled-rows.ts';
import { ownLoss } from './own-loss.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/** A vocabulary of this size or more is scored in parts. */
const MANY_WORDS = 8192;
/** Each part reads the vocabulary again, so parts are few. */
const PARTS = 4;

/**
 * A model with logits for every token: its class, its word, or the next word. The loss is the mean over labeled
 * tokens. Declares the inputs of `labelledRows`. With a large vocabulary it has `labelParts`.
 *
 * @param headKind a head with logits for every token
 */
export function tokenModel(headKind: HeadKind, { manyWords = MANY_WORDS, parts = PARTS } = {}) {
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => {
    const model = taskModel(definition, config, headKind, (logits, { graph }, options = {}) => {
      const { labelSmoothing: smoothing, training = false, customLoss } = options;
      const each = symbol('labelled');
      const targets = (name: string) => {
        if (!isInParts) return input(graph, name, 'int32', [each]);
        return reshape(input(graph, name, 'int32', [parts, each]), [multiplyDimensions(parts, each)]);
      };
      const rows = targets(LABEL_ROWS);
      const outputs = logits(() => ({ logitRows: rows }));
      if (customLoss) return ownLoss(customLoss, outputs, targets('labels'));
      if (!isInParts) return crossEntropy(outputs, targets('labels'), smoothing);
      return lossInParts(outputs, rows, targets('labels'), { parts, smoothing, training });
    });
    const isInParts = model.words !== undefined && config.vocabSize >= manyWords;
    return {
      ...model,
      ...(isInParts && { labelParts: parts }),
      withConfig: (other) => tokenModel(headKind, { manyWords, parts })(definition, other),
    };
  };
}

/** Ops whose attributes name the number of rows. */
const SHAPED: ReadonlySet<Op> = new Set(['reshape', 'expand', 'slice', 'pad', 'window', 'scatterAdd']);

interface LossParts {
  parts: number;
  smoothing?: number;
  /** Whether the loss will be differentiated. */
  training: boolean;
}

/**
 * The mean cross-entropy of rows of logits, part by part, so that the logits of only one part are in memory. Over a
 * large vocabulary they can take more memory than the rest of the model. In training, the gradient of a part is
 * computed directly after its loss.
 *
 * If the layers between the selected rows and the logits are trained, all rows are computed at once.
 *
 * @param logits [parts * rows of a part, classes], computed from rows that a `gather` selects
 * @param rows the indices of that `gather`
 * @param labels [parts * rows of a part]
 */
function lossInParts(logits: Value, rows: Value, labels: Value, options: LossParts): Value {
  const { parts, smoothing, training } = options;
  const selected = selectedRows(logits, rows);
  const head = selected && headAfter(logits, selected);
  if (!head) return crossEntropy(logits, labels, smoothing);
  const rowOf = (part: number) => multiplyDimensions(part, symbol('labelled'));
  const partOf = (value: Value, part: number) => slice(value, 0, rowOf(part), rowOf(part + 1));
  let gate: Value | undefined;
  const slopes: Value[] = [];
  const sums = Array.from({ length: parts }, (_, part) => {
    const x = partOf(gate ? after(selected, gate) : selected, part);
    const found = crossEntropySums(head(x), partOf(labels, part), smoothing);
    gate = found.normalisers;
    if (training) {
      [gate] = gradients(found.total, [x]) as [Value];
      slopes.push(gate);
    }
    return found;
  });
  const total = sums.map((one) => one.total).reduce(add);
  const count = sums.map((one) => one.count).reduce(add);
  const mean = divide(total, count);
  if (!training) return mean;
  return watch(stopGradient(mean), selected, [concat(slopes, 0), count], (gradient, [slope, weight]) =>
    multiply(slope!, divide(gradient, weight!)),
  );
}

/** The rows that a `gather` with these indices selects, or with indices computed from them. */
function selectedRows(logits: Value, rows: Value): Value | undefined {
  const isFromRows = (index: Value) => reachable([index]).includes(rows.node);
  const found = reachable([logits]).filter(({ op, inputs }) => op === 'gather' && isFromRows(inputs[1]!));
  return found.length === 1 ? found[0]!.outputs[0] : undefined;
}

/** The function from selected rows to logits. Undefined if it depends on the batch or on trained values otherwise. */
function headAfter(logits: Value, selected: Value): ((x: Value) => Value) | undefined {
  const own = new Set([selected]);
  const nodes = reachable([logits], [selected.node]);
  for (const { op, inputs, outputs } of nodes) {
    if (op === 'input') return undefined;
    if (!inputs.some((operand) => own.has(operand))) continue;
    if (SHAPED.has(op)) return undefined;
    for (const output of outputs) own.add(output);
  }
  return (x) => {
    const copies = new Map([[selected, x]]);
    for (const { graph, op, inputs, attributes, outputs } of nodes) {
      if (!inputs.some((operand) => copies.has(operand))) continue;
      const made = graph.add(
        op,
        inputs.map((operand) => copies.get(operand) ?? operand),
        attributes,
      );
      outputs.forEach((output, i) => {
        copies.set(output, made[i]!);
      });
    }
    return copies.get(logits)!;
  };
}
