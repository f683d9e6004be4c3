import { basename } from 'node:path';
import { stringify } from 'yaml';
import { EMBEDDED_MODEL } from '../../../input/hub/model-id.ts';
import { DEFAULT_METHOD } from '../../../methods/tuners/registry.ts';
import { counted } from '../../../studies/report/format.ts';
import { PROGRAM } from '../../../support/program.ts';
import { describeColumns } from '../../../tasks/guess/columns.ts';
import { type ColumnRole, columnKey, type Guess } from '../../../tasks/guess/guess-data.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import type { DataFile } from './read-data-file.ts';

/** A key of a config, with a comment. */
interface Line {
  key: string;
  value: string | number;
  comment?: string;
}

const ROLES: readonly ColumnRole[] = ['text', 'text_pair', 'negative', 'label'];

/** The keys of a config that are guessed from a file: those of the top level, and those of `data`. */
export function guessedKeys({ parts, table }: DataFile, guess: Guess): { top: Line[]; data: Line[] } {
  const { task, at, reason, separator } = guess;
  const { modelToTry } = taskNamed(task).training;
  const isBuiltIn = modelToTry === undefined;
  const hasPictures = table && at.text !== undefined && describeColumns(table)[at.text]!.isPictures;
  const model: Line = {
    key: 'model',
    value: isBuiltIn ? EMBEDDED_MODEL : modelToTry,
    comment: `${isBuiltIn ? '' : 'The built-in encoder does not support this task. '}A folder or an id on the Hub.`,
  };
  const top: Line[] = [
    { key: 'task', value: task, comment: reason },
    // The built-in encoder does not read pictures.
    ...(hasPictures ? [] : [model]),
    { key: 'method', value: DEFAULT_METHOD, comment: 'docs/methods.md describes all methods.' },
  ];
  const files: Line[] = Object.entries(parts).map(([key, value]) => ({ key, value }));
  if (!table) return { top, data: files };
  const { columns, rows, hasHeader, delimiter, ragged } = table;
  const used = Object.values(at);
  const others = columns.filter((_, i) => !used.includes(i));
  const unused = others.length > 0 && used.length > 0 ? `Not used: ${others.join(', ')}.` : undefined;
  const fields = at.label === undefined ? [] : rows.map((row) => row[at.label!]!.trim());
  const labels = fields.filter((field) => field !== '');
  const unlabelled = fields.length - labels.length;
  const bad = [
    ...(ragged > 0 ? [`${ragged} rows have another number of fields.`] : []),
    ...(unlabelled > 0 ? [`${unlabelled} ${unlabelled === 1 ? 'row has' : 'rows have'} no label.`] : []),
  ];
  const { shape } = taskNamed(task).data;
  const optional = (key: string, value: string | undefined, comment?: string): Line[] =>
    value !== undefined && Object.hasOwn(shape, key) ? [{ key, value, ...(comment && { comment }) }] : [];
  const largest = Math.max(...labels.map(Number));
  return {
    top,
    data: [
      ...files,
      ...ROLES.filter((role) => at[role] !== undefined).map((role, i): Line => {
        const place = at[role]!;
        const comment =
          role === 'label' && taskNamed(task).classes
            ? `${counted(new Set(labels).size)} different values in ${counted(rows.length)} rows.`
            : i === 0
              ? unused
              : undefined;
        const value = hasHeader === false ? place : columns[place]!;
        return { key: columnKey(guess, role), value, ...(comment && { comment }) };
      }),
      ...optional(
        'label_separator',
        separator === ';' ? undefined : separator,
        'A field has several labels.',
      ),
      ...(Object.hasOwn(shape, 'max_score') && at.label !== undefined && largest > 1
        ? [{ key: 'max_score', value: largest, comment: 'Labels are divided by it.' }]
        : []),
      ...optional('delimiter', delimiter),
      ...optional('on_bad_row', bad.length > 0 ? 'skip' : undefined, bad.join(' ')),
    ],
  };
}

/**
 * A config to train on a file, with a comment for each choice.
 *
 * @param name the name of the config's file
 */
export function dataConfig(file: DataFile, guess: Guess, name: string): string {
  const { top, data } = guessedKeys(file, guess);
  const shown = ({ key, value, comment }: Line, indent: string) =>
    `${indent}${stringify({ [key]: value }, { lineWidth: 0 }).trimEnd()}${comment ? `  # ${oneLine(comment)}` : ''}\n`;
  return [
    `# Trains a model to ${oneLine(guess.learns)}: npx ${PROGRAM} train ${oneLine(name)}\n`,
    '# Keys that are not set are chosen by rows and model when a run starts, which prints them: for example\n',
    '# data.validation (a file, a share such as 10%, or 3 folds) and training.num_train_epochs. See docs/config.md.\n',
    ...top.map((line) => shown(line, '')),
    shown({ key: 'output', value: `runs/${stem(file.path)}`, comment: 'folder of the run' }, ''),
    'data:\n',
    ...data.map((line) => shown(line, '  ')),
  ].join('');
}

export function stem(path: string): string {
  return basename(path).replace(/(?<=.)\.(gz|\w+)(\.gz)?$/i, '');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
