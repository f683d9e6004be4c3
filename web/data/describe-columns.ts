import { TEXT_NAME } from '../../src/data/text-name.ts';
import type { Table } from './read-table.ts';

/** What is in a column. */
export interface Column {
  name: string;
  /** Different values; empty fields are none. */
  distinct: number;
  /** Characters of a field, on average. */
  length: number;
  /** Whether most fields have a letter. */
  hasWords: boolean;
}

const LABEL_NAME = /^(label|labels|class|category|target|tag|y|sentiment|intent|topic)$/i;

export function describeColumns({ columns, rows }: Table): Column[] {
  return columns.map((name, i) => {
    const fields = rows.map((row) => row[i].trim()).filter((field) => field !== '');
    const characters = fields.reduce((sum, { length }) => sum + length, 0);
    const worded = fields.filter((field) => /\p{L}/u.test(field)).length;
    return {
      name,
      distinct: new Set(fields).size,
      length: fields.length > 0 ? characters / fields.length : 0,
      hasWords: fields.length > 0 && 2 * worded >= fields.length,
    };
  });
}

/** Which columns are most likely the texts and their labels, by name and content; the user may say otherwise. */
export function guessColumns(columns: readonly Column[], rows: number): { text: number; label: number } {
  const places = columns.map((_, i) => i);
  const length = (i: number) => columns[i].length;
  const isLabel = (i: number) => columns[i].distinct > 1 && 2 * columns[i].distinct <= rows;
  const labels = places.filter(isLabel).sort((a, b) => columns[a].distinct - columns[b].distinct);
  const named = (pattern: RegExp) => places.find((i) => pattern.test(columns[i].name));
  const label = named(LABEL_NAME) ?? labels[0] ?? places.reduce((a, b) => (length(b) < length(a) ? b : a));
  const others = places.filter((i) => i !== label);
  const name = others.find((i) => TEXT_NAME.test(columns[i].name));
  const text = name ?? others.reduce((a, b) => (length(b) > length(a) ? b : a), others[0] ?? label);
  return { text, label };
}
