import type { RawLabel, Row } from '../../input/data/rows.ts';
import { isNumber } from '../../input/data/table-layout.ts';
import { InvalidData } from '../../support/user-error.ts';

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
  const order = known && knownOrder(known);
  if (order && [...labels].every((name) => order.includes(name))) return order;
  return [...labels].sort([...labels].every(isNumber) ? byValue : byCodePoint);
}

/** A notice for each group of labels that differ only in case or spaces, because they are often meant as one. */
export function alikeLabels(labels: Iterable<string>): string[] {
  const groups = new Map<string, string[]>();
  for (const name of new Set(labels)) {
    const key = name.toLowerCase().replace(/\s+/g, ' ').trim();
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  const alike = [...groups.values()].filter((names) => names.length > 1);
  return alike.map((names) => {
    const quoted = names.map((name) => JSON.stringify(name)).join(', ');
    return `The labels ${quoted} differ only in case or spaces. They are different classes.`;
  });
}

/** The names in a label. */
export function asList(label: RawLabel | undefined): readonly string[] {
  if (label === undefined) return [];
  return typeof label === 'string' ? [label] : label;
}

/** The names of an `id2label`, by id. Undefined if its ids have gaps or its names are transformers' placeholders. */
export function knownOrder(id2label: Readonly<Record<string, string>>): string[] | undefined {
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
