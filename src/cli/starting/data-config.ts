import { basename } from 'node:path';
import { stringify } from 'yaml';
import { counted } from '../../report/format.ts';
import { PROGRAM } from '../../support/program.ts';
import { SCALE_TASK } from '../../tasks/registry.ts';
import type { ChosenColumns } from './choose-columns.ts';
import type { DataFile } from './read-data-file.ts';

/**
 * A config to train on a file, with a comment for each choice.
 *
 * @param name the name of the config's file
 */
export function dataConfig(file: DataFile, chosen: ChosenColumns, name: string): string {
  const { path, table, columns, guess, parts, hasPictures } = file;
  const { text, textPair, label } = chosen;
  const names = columns.map((column) => column.name);
  const others = names.filter((_, i) => ![text, textPair, label].includes(i));
  const unused = others.length > 0 ? ` Not used: ${others.join(', ')}.` : '';
  const column = (place: number) => (table.hasHeader === false ? place : names[place]!);
  const isScale = guess.isScale && label === guess.label;
  const labels = table.rows.map((row) => row[label]!.trim()).filter((name) => name !== '');
  const unlabelled = table.rows.length - labels.length;
  const bad = [
    ...(table.ragged > 0 ? [`${table.ragged} rows have another number of fields.`] : []),
    ...(unlabelled > 0 ? [`${unlabelled} ${unlabelled === 1 ? 'row has' : 'rows have'} no label.`] : []),
  ];
  const classes = new Set(labels).size;
  const lines: (readonly [line: string, comment?: string])[] = [
    [`# Trains on ${oneLine(path)}: npx ${PROGRAM} train ${oneLine(name)}`],
    ...(isScale
      ? [[entry('task', SCALE_TASK), `${oneLine(names[label]!)} has numbers on a scale.`] as const]
      : []),
    [entry('output', `runs/${stem(path)}`)],
    ['data:'],
    [`  ${entry('train', parts.train)}`],
    ...(parts.validation === undefined ? [] : [[`  ${entry('validation', parts.validation)}`] as const]),
    [`  ${entry('text', column(text))}`, `The ${hasPictures ? 'pictures' : 'texts'}.${oneLine(unused)}`],
    ...(textPair === undefined ? [] : [[`  ${entry('text_pair', column(textPair))}`] as const]),
    [
      `  ${entry('label', column(label))}`,
      isScale ? undefined : `${counted(classes)} different labels in ${counted(table.rows.length)} rows.`,
    ],
    ...(table.delimiter === ';' ? [[`  ${entry('delimiter', ';')}`] as const] : []),
    ...(bad.length > 0 ? [[`  ${entry('on_bad_row', 'skip')}`, bad.join(' ')] as const] : []),
  ];
  return lines.map(([line, comment]) => (comment ? `${line}  # ${comment}\n` : `${line}\n`)).join('');
}

export function stem(path: string): string {
  return basename(path).replace(/(?<=.)\.(gz|\w+)(\.gz)?$/i, '');
}

function entry(key: string, value: string | number): string {
  return stringify({ [key]: value }, { lineWidth: 0 }).trimEnd();
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
