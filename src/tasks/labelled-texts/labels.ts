import { UserError } from '../../support/user-error.ts';
import type { RawLabel, Row } from '../../data/row.ts';
import type { TaskType } from '../../data/task-type.ts';

/** The classes of a task: `names[id]` and back. */
export interface LabelMap {
  names: readonly string[];
  ids: ReadonlyMap<string, number>;
}

/** A map in which the id of a name is its place. */
export function labelMap(names: readonly string[]): LabelMap {
  return { names, ids: new Map(names.map((name, id) => [name, id])) };
}

/**
 * The classes of training rows: in the order of `known` (the checkpoint's `id2label`) where that names all of them,
 * else sorted, by value if all are numbers and by code point if not. Regression has none.
 *
 * @throws UserError when the rows have fewer classes than the task needs.
 */
export function buildLabels(
  rows: readonly Row[],
  task: TaskType,
  fileName: string,
  known?: Readonly<Record<string, string>>,
): LabelMap {
  if (task === 'regression') return labelMap([]);
  const found = new Set<string>();
  for (const row of rows) for (const name of asList(row.label)) found.add(name);
  const needed = task === 'multi_label_classification' ? 1 : 2;
  if (found.size < needed) {
    const got = found.size === 0 ? 'none' : `only "${[...found][0]}"`;
    throw new UserError({ where: fileName, expected: `at least ${needed} different labels`, got });
  }
  const order = known && knownOrder(known);
  if (order && [...found].every((name) => order.includes(name))) return labelMap(order);
  return labelMap([...found].sort([...found].every(isNumber) ? byValue : byCodePoint));
}

/** The names in a label. */
export function asList(label: RawLabel | undefined): readonly string[] {
  if (label === undefined) return [];
  return typeof label === 'string' ? [label] : label;
}

/** The names of an `id2label` by id; nothing if its ids have gaps or its names are transformers' placeholders. */
function knownOrder(id2label: Readonly<Record<string, string>>): string[] | undefined {
  const names = Object.keys(id2label).map((_, id) => id2label[id]);
  return names.some((name) => name === undefined || /^LABEL_\d+$/.test(name)) ? undefined : names;
}

/** Whether a label is a decimal number, and finite as a 32-bit float. */
export function isNumber(label: string): boolean {
  return (
    /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i.test(label) && Number.isFinite(Math.fround(Number(label)))
  );
}

const byValue = (a: string, b: string) => Number(a) - Number(b) || byCodePoint(a, b);

function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i].codePointAt(0)! - right[i].codePointAt(0)!;
  }
  return left.length - right.length;
}
