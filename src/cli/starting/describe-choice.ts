import { counted } from '../../report/format.ts';
import { alikeLabels } from '../../tasks/classes/labels.ts';
import { type ChosenColumns, excerpt } from './choose-columns.ts';
import type { DataFile } from './read-data-file.ts';

const MAX_LISTED = 6;

/** Describes the training data in a file, in several lines. */
export function describeChoice(
  { path, table, columns, guess, notices, hasPictures }: DataFile,
  chosen: ChosenColumns,
): string {
  const { text, textPair, label } = chosen;
  const { rows, delimiter } = table;
  const isScale = guess.isScale && label === guess.label;
  const separated = { ';': ' separated by semicolons', '\t': ' separated by tabs' }[delimiter ?? ''] ?? '';
  const texts = (place: number, name: string) =>
    `  ${name}  ${columns[place]!.name}: ${Math.round(columns[place]!.length)} characters on average, such as "${excerpt(rows[0]![place]!)}"`;
  return [
    `${path}: ${counted(rows.length)} rows, ${columns.length} columns${separated}`,
    ...(hasPictures
      ? [`  image  ${columns[text]!.name}: files such as "${excerpt(rows[0]![text]!)}"`]
      : [texts(text, 'text ')]),
    ...(textPair === undefined ? [] : [texts(textPair, 'pair ')]),
    `  label  ${columns[label]!.name}: ${isScale ? 'numbers on a scale' : labelsOf(rows, label)}`,
    ...(isScale ? [] : alikeLabels(rows.map((row) => row[label]!.trim()))),
    ...repeats(rows, text, label),
    ...unlabelled(rows, label),
    ...notices,
  ].join('\n');
}

function labelsOf(rows: readonly (readonly string[])[], label: number): string {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row[label]!.trim(), (counts.get(row[label]!.trim()) ?? 0) + 1);
  counts.delete('');
  const labels = [...counts].sort((a, b) => b[1] - a[1]);
  const listed = labels.slice(0, MAX_LISTED).map(([name, count]) => `${excerpt(name)} ${counted(count)}`);
  const more = labels.length > MAX_LISTED ? `, and ${labels.length - MAX_LISTED} more` : '';
  return `${labels.length} labels: ${listed.join(', ')}${more}`;
}

/** Describes rows with an empty label. Training skips them. */
function unlabelled(rows: readonly (readonly string[])[], label: number): string[] {
  const count = rows.filter((row) => row[label]!.trim() === '').length;
  if (count === 0) return [];
  return [
    count === 1
      ? '1 row has no label and is left out.'
      : `${counted(count)} rows have no label and are left out.`,
  ];
}

/** Describes duplicate texts, and how many of them have different labels. */
function repeats(rows: readonly (readonly string[])[], text: number, label: number): string[] {
  const seen = new Map<string, string>();
  let [again, other] = [0, 0];
  for (const row of rows) {
    const before = seen.get(row[text]!);
    if (before === undefined) seen.set(row[text]!, row[label]!);
    else {
      again++;
      if (before !== row[label]) other++;
    }
  }
  if (again === 0) return [];
  const differ = other > 0 ? `, ${counted(other)} of them with another label` : '';
  return [`${counted(again)} ${again === 1 ? 'row repeats' : 'rows repeat'} an earlier text${differ}.`];
}
