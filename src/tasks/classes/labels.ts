import { type RawLabel, type Row, RowProblems } from '../../input/data/rows.ts';
import { isNumber } from '../../input/data/table-layout.ts';
import { headOutputs } from '../../methods/tuners/adapter-kind.ts';
import { classLoss, sequenceModel } from '../../program/objectives/sequence-loss.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { BuildTask, LabelOrigin, UnknownTrained } from '../task-definition.ts';

/** Rounds a number to the shortest decimal that gives the same float32. */
export function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return Number(value.toPrecision(9));
}

/** Maps the names of classes to their values. */
export function byLabel(values: readonly number[], labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(values.map((value, id) => [labels[id], value]));
}

/** Formats a probability as a percentage. Rounding never makes it 0 or 100. */
export function percent(probability: number): string {
  if (probability >= 0.9995) return 'more than 99.9 %';
  return `${(100 * probability).toFixed(1)} %`;
}

/** The number of outputs of an adapter's head for text classes. Undefined without such a head. */
export function classOutputs({ definition, outputsOf }: UnknownTrained): number | undefined {
  if (!definition.heads.SEQ_CLS) return undefined;
  return outputsOf((family, config) => sequenceModel(family, config, classLoss));
}

/** The names of a model's classes, or placeholders as in transformers if config.json does not name all of them. */
export function readClassNames({ json, config }: UnknownTrained, outputs: number | undefined): string[] {
  const names = Object.values((json.id2label as Record<string, string> | undefined) ?? {});
  const count = outputs ?? (names.length || config.numLabels);
  return names.length === count ? names : Array.from({ length: count }, (_, id) => `LABEL_${id}`);
}

/** The keys of a config.json that name classes. */
export function classNameKeys(names: readonly string[]) {
  return {
    id2label: Object.fromEntries(names.map((name, id) => [id, name])),
    label2id: Object.fromEntries(names.map((name, id) => [name, id])),
  };
}

/**
 * Makes something of the ids of rows' classes.
 *
 * @param problem describes a class that training did not have
 * @throws UserError with file and line for all such classes
 */
export function withIds<T>(
  labels: readonly string[],
  fileName: string,
  problem: (name: string) => { kind: string; fault: string },
  hintFor: (name: string) => string,
  make: (id: (name: string, line: number) => number) => T,
): T {
  const problems = new RowProblems(fileName);
  const ids = new Map(labels.map((name, id) => [name, id]));
  let hint: string | undefined; // The hint for the first such class. Only that class is reported in full.
  const made = make((name, line) => {
    const id = ids.get(name);
    if (id === undefined) {
      hint ??= hintFor(name);
      problems.add(line, { ...problem(name), hint, code: 'unknown_label' });
    }
    return id ?? 0;
  });
  problems.throwIfAny();
  return made;
}

/**
 * The classes of a run. A continued adapter keeps its classes and their order. Otherwise, they are those of the data.
 *
 * @throws UserError if the data have other classes, or their number differs from the outputs of the adapter's head
 */
export function labelsBesideAdapter(
  ofData: readonly string[],
  { fileName: where, definition, config, adapter }: LabelOrigin,
  build: (labels: readonly string[]) => BuildTask,
): readonly string[] {
  if (!adapter) return ofData;
  const known = adapter.labels;
  const stranger = known && ofData.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new UserError({
      where,
      fault: `has "${stranger}", which is not a label of the adapter ${adapter.path} (${known?.join(', ')})`,
      code: 'unknown_label',
    });
  }
  const labels = known ?? ofData;
  const outputs = headOutputs(build(labels)(definition, config), adapter.tensors);
  if (outputs === undefined || outputs === labels.length) return labels;
  throw new InvalidData({
    where,
    fault: `has ${labels.length} labels, but the head of the adapter ${adapter.path} has ${outputs}`,
  });
}

/**
 * The classes of training rows. If `known` (the checkpoint's `id2label`) contains all of them, they have its order.
 * Otherwise, they are sorted: by value if all are numbers, else by code point.
 *
 * @param least minimum number of different classes for the task
 * @throws UserError if the rows have fewer classes
 */
export function buildLabels(
  rows: readonly Pick<Row, 'label'>[],
  least: number,
  fileName: string,
  known?: Readonly<Record<string, string>>,
): readonly string[] {
  const labels = new Set<string>();
  for (const row of rows) for (const name of asList(row.label)) labels.add(name);
  if (labels.size < least) {
    throw new InvalidData({
      where: fileName,
      fault: `needs at least ${least} different labels, got ${labels.size === 0 ? 'none' : `only "${[...labels][0]}"`}`,
    });
  }
  const order = known && findOrder(known);
  if (order && [...labels].every((name) => order.includes(name))) return order;
  return [...labels].sort([...labels].every(isNumber) ? byValue : byCodePoint);
}

/**
 * A notice for each group of labels that differ only in case or spaces, because they are often meant as one, and for a
 * label that programs write for a missing value.
 */
export function alikeLabels(labels: Iterable<string>): string[] {
  const groups = new Map<string, string[]>();
  for (const name of new Set(labels)) {
    const key = name.toLowerCase().replace(/\s+/g, ' ').trim();
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  const alike = [...groups.values()].filter((names) => names.length > 1);
  const missing = [...groups.values()].flat().filter((name) => /^(nan|null|n\/?a|<na>)$/i.test(name));
  return [
    ...alike.map((names) => {
      const quoted = names.map((name) => JSON.stringify(name)).join(', ');
      return `The labels ${quoted} differ only in case or spaces. They are different classes.`;
    }),
    ...missing.map(
      (name) => `The label "${name}" is a class. If it stands for a missing label, empty these fields.`,
    ),
  ];
}

/** The names in a label. */
export function asList(label: RawLabel | undefined): readonly string[] {
  if (label === undefined) return [];
  return typeof label === 'string' ? [label] : label;
}

/** The names of an `id2label`, by id. Undefined if its ids have gaps or its names are transformers' placeholders. */
function findOrder(id2label: Readonly<Record<string, string>>): string[] | undefined {
  const names = Object.keys(id2label).map((_, id) => id2label[id]!);
  return names.some((name) => name === undefined || /^LABEL_\d+$/.test(name)) ? undefined : names;
}

const byValue = (a: string, b: string) => Number(a) - Number(b) || byCodePoint(a, b);

function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
  }
  return left.length - right.length;
}
