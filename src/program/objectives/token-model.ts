import { gradients } from '../../engine/autodiff/gradients.ts';
import {
  add,
  after,
  concat,
  constant,
  divide,
  equal,
  greater,
  input,
  iota,
  logSumExp,
  multiply,
  reshape,
  slice,
  stopGradient,
  subtract,
  sum,
  watch,
  where,
} from '../../engine/graph/build.ts';
import { multiplyDimensions, symbol } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Op } from '../../engine/graph/ops.ts';
import { reachable } from '../../engine/graph/print.ts';
import type { HeadKind } from '../../models/heads/registry.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { crossEntropy, crossEntropySums } from '../../models/nn/losses.ts';
import type { Network } from '../../models/nn/network.ts';
import { LABEL_ROWS } from './labeled-rows.ts';
import { type LossFunction, ownLoss } from './own-loss.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/** A vocabulary of this size or more is scored in parts. Each part reads it again, so parts are few. */
const IN_PARTS = { manyWords: 8192, parts: 4 };
type PartOptions = typeof IN_PARTS;

/**
 * A model with logits for every token: its class, its word, or the next word. The loss is the mean over labeled
 * tokens. Declares the inputs of `labeledRows`. With a large vocabulary it has `labelParts`.
 *
 * @param headKind a head with logits for every token
 */
export function tokenModel(headKind: HeadKind, options: Partial<PartOptions> = {}) {
  return labeledModel(
    headKind,
    options,
    ({ logits, rows, labels, parts, smoothing, training, customLoss }) => {
      if (customLoss) return ownLoss(customLoss, logits, labels());
      if (parts === undefined) return crossEntropy(logits, labels(), smoothing);
      return lossInParts(logits, rows, labels(), { parts, smoothing, training });
    },
  );
}

/** The logits of labeled tokens, and what a loss of them needs. */
export interface LabeledLogits {
  /** [rows, classes] */
  logits: Value;
  /** The indices of the labeled rows of the hidden states, [rows]. */
  rows: Value;
  /** Declares the labels, [rows]. */
  labels(): Value;
  /** The number of parts in which they are divided. Undefined for a small vocabulary. */
  parts: number | undefined;
  smoothing: number | undefined;
  training: boolean;
  customLoss: LossFunction | undefined;
}

/**
 * A model with logits for every token, and any loss of its labeled tokens.
 *
 * @param buildLoss returns the mean loss of a batch, []
 */
export function labeledModel(
  headKind: HeadKind,
  options: Partial<PartOptions>,
  buildLoss: (found: LabeledLogits, network: Pick<Network, 'graph'>) => Value,
) {
  const { manyWords, parts } = { ...IN_PARTS, ...options };
  return (definition: ModelDefinition, config: CommonConfig): TaskModel => {
    const model = taskModel(definition, config, headKind, (logits, network, options = {}) => {
      const { labelSmoothing: smoothing, training = false, customLoss } = options;
      const each = symbol('labeled');
      const targets = (name: string) => {
        if (!isInParts) return input(network.graph, name, 'int32', [each]);
        return reshape(input(network.graph, name, 'int32', [parts, each]), [multiplyDimensions(parts, each)]);
      };
      const rows = targets(LABEL_ROWS);
      const found = {
        logits: logits(() => ({ logitRows: rows })),
        rows,
        labels: () => targets('labels'),
        parts: isInParts ? parts : undefined,
        smoothing,
        training,
        customLoss,
      };
      return buildLoss(found, network);
    });
    const isInParts = model.words !== undefined && config.vocabSize >= manyWords;
    return {
      ...model,
      ...(isInParts && { labelParts: parts }),
      withConfig: (other) => labeledModel(headKind, options, buildLoss)(definition, other),
    };
  };
}

/** Ops whose attributes name the number of rows. */
const SHAPED: ReadonlySet<Op> = new Set(['reshape', 'expand', 'slice', 'pad', 'window', 'scatterAdd']);

interface LossParts {
  parts: number;
  smoothing?: number | undefined;
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
  const { smoothing } = options;
  const found = inTurn(logits, rows, labels, options, (x, ids) => crossEntropySums(x, ids, smoothing));
  if (!found) return crossEntropy(logits, labels, smoothing);
  const { sums, selected, slopes } = found;
  const total = sums.map((one) => one.total).reduce(add);
  const count = sums.map((one) => one.count).reduce(add);
  const mean = divide(total, count);
  if (!options.training) return mean;
  return watch(stopGradient(mean), selected, [slopes(), count], (gradient, [slope, weight]) =>
    multiply(slope!, divide(gradient, weight!)),
  );
}

/**
 * The negative log-likelihood of each label, [rows, 1], and 0 for rows without one. Over a large vocabulary it is computed
 * part by part, as {@link lossInParts} is. A row's loss depends on no other row, so its gradient is scaled afterwards.
 */
export function tokenLosses({ logits, rows, labels, parts, training }: LabeledLogits): Value {
  const ids = labels();
  const found =
    parts === undefined
      ? undefined
      : inTurn(logits, rows, ids, { parts, training }, (x, own) => {
          const each = rowLosses(x, own);
          return { each, total: sum(each, [0, 1]), normalizers: each };
        });
  if (!found) return rowLosses(logits, ids);
  const { sums, selected, slopes } = found;
  const each = concat(
    sums.map((one) => one.each),
    0,
  );
  if (!training) return each;
  return watch(stopGradient(each), selected, [slopes()], (gradient, [slope]) => multiply(slope!, gradient));
}

function rowLosses(logits: Value, labels: Value): Value {
  const [rows, classes] = logits.shape;
  const { graph } = logits.node;
  const label = reshape(labels, [rows!, 1]);
  const isHit = equal(label, reshape(iota(graph, classes!), [1, classes!]));
  const hits = sum(where(isHit, logits, 0), [1], true);
  return where(greater(label, constant(graph, [-1], [], 'int32')), subtract(logSumExp(logits), hits), 0);
}

/**
 * Computes sums of losses part by part, and in training their gradient with respect to the part's rows. Undefined if the
 * layers after the selected rows are trained.
 */
function inTurn<Sums extends { total: Value; normalizers: Value }>(
  logits: Value,
  rows: Value,
  labels: Value,
  { parts, training }: Pick<LossParts, 'parts' | 'training'>,
  compute: (logits: Value, labels: Value) => Sums,
): { sums: Sums[]; selected: Value; slopes(): Value } | undefined {
  const selected = selectedRows(logits, rows);
  const head = selected && headAfter(logits, selected);
  if (!head) return undefined;
  const rowOf = (part: number) => multiplyDimensions(part, symbol('labeled'));
  const partOf = (value: Value, part: number) => slice(value, 0, rowOf(part), rowOf(part + 1));
  let gate: Value | undefined;
  const slopes: Value[] = [];
  const sums = Array.from({ length: parts }, (_, part) => {
    const x = partOf(gate ? after(selected, gate) : selected, part);
    const found = compute(head(x), partOf(labels, part));
    gate = found.normalizers;
    if (training) {
      [gate] = gradients(found.total, [x]) as [Value];
      slopes.push(gate);
    }
    return found;
  });
  return { sums, selected, slopes: () => concat(slopes, 0) };
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
