import { TEXT_NAME } from '../../input/data/detect-format.ts';
import type { Table } from '../../input/data/table/read-table.ts';
import { suggest, suggestAmong } from '../../support/text.ts';
import { attemptAll, InvalidData, UserError } from '../../support/user-error.ts';
import { TASK_NAMES, type TaskName, taskNamed } from '../registry.ts';
import type { ColumnRole, Fit, TaskGuess } from '../task-definition.ts';
import {
  type Column,
  describeColumns,
  hasScoreName,
  isScale,
  isText,
  mayBeLabel,
  repeats,
} from './columns.ts';
import { findPair, type PairKind, pairKind } from './pairs.ts';

/** One way to learn from a table. */
export interface Guess {
  task: TaskName;
  /** Indices of the columns. */
  at: Readonly<Partial<Record<ColumnRole, number>>>;
  /** Separator of the labels in a field, for several labels. */
  separator?: string;
  /** The skill that a model learns: `classify "message" by "queue"`. */
  learns: string;
  /** Why this task was chosen. */
  reason: string;
  /** The flags that choose this guess. */
  flags: string;
}

/** The user's statements about a file. Columns are names, or numbers from 0. */
export interface Given {
  task?: string | undefined;
  text?: string | number | undefined;
  text_pair?: string | number | undefined;
  label?: string | number | undefined;
}

/** Names of columns with labels. */
export const LABEL_NAME =
  /^(labels?|class|classes|category|categories|target|tags?|y|sentiment|intent|topics?|queue|department|gold|gold_label|is_duplicate|kategorie|klasse|thema|abteilung)$/i;
const NEGATIVE_NAME = /^(hard_?)?negatives?$/i;

/** A file with fewer rows may have each label once by chance. */
const MIN_ROWS_TO_REJECT = 5;
/** If a larger share of the labels occurs once, they are not classes. */
const MAX_SINGLE_SHARE = 0.8;
/** A text is clearly the main one if it is this many times longer than any other. */
const CLEARLY_LONGER = 3;
/** Answers with at least this many characters on average are sentences rather than classes such as yes and no. */
const SENTENCE = 15;
/** Pairs of texts have at most this many relations: entailment, contradiction or neither. */
const MAX_RELATIONS = 3;

/**
 * Guesses what a table is for. The first guess is the best. Others follow if names and content do not decide.
 *
 * @throws UserError for a column or task that does not exist, and for a table from which nothing can be learned
 */
export function guessData(table: Table, given: Given = {}): Guess[] {
  const columns = describeColumns(table);
  const [text, text_pair, label] = attemptAll(
    (['text', 'text_pair', 'label'] as const).map((role) => () => findPlace(table, role, given[role])),
  );
  const file: File = { table, columns, fixed: { text, text_pair, label } };
  const task = given.task === undefined ? undefined : checkedTask(given.task);
  const [shaped] = plainGuesses(task, ({ ofColumns }) => ofColumns?.(columns));
  if (shaped) return [shaped];
  const guesses = (task === undefined ? openGuesses(file) : taskGuesses(file, task)).filter(
    ({ at }) => new Set(Object.values(at)).size === Object.values(at).length,
  );
  if (guesses.length === 0) throw nothingToLearn(file);
  for (const guess of guesses.slice(0, 1)) checkGuess(file, guess);
  return guesses;
}

interface File {
  table: Table;
  columns: readonly Column[];
  fixed: Partial<Record<'text' | 'text_pair' | 'label', number | undefined>>;
}

const ROLES: readonly ColumnRole[] = ['text', 'text_pair', 'negative', 'label'];

/** The roles of a guess's columns. */
export function usedRoles({ at }: Pick<Guess, 'at'>): ColumnRole[] {
  return ROLES.filter((role) => at[role] !== undefined);
}

/** All keys that {@link columnKey} returns. */
export function columnKeys(): string[] {
  const keys = TASK_NAMES.flatMap(
    (task) => readSigns(task).keys?.flatMap((keys) => Object.values(keys)) ?? [],
  );
  return [...new Set(keys)];
}

/** The key of a role in the `data` section of a task. */
export function columnKey(guess: Pick<Guess, 'task' | 'at'>, role: ColumnRole): string {
  const roles = usedRoles(guess);
  const keys = readSigns(guess.task).keys?.find((some) => roles.every((used) => some[used] !== undefined));
  return keys?.[role] ?? role;
}

/** A task that says nothing is never guessed. It can be named. */
function readSigns(task: TaskName): TaskGuess {
  return taskNamed(task).guess ?? {};
}

/** A table without columns to choose, such as lines of a book, conversations or questions with spans. */
export function plainGuess(task: TaskName, reason: string, at: Guess['at'] = {}): Guess {
  return { task, at, learns: readSigns(task).plain ?? task, reason, flags: `--task ${task}` };
}

/** Guesses for the tasks that give a reason. A task that the user names excludes the others. */
function plainGuesses(
  task: TaskName | undefined,
  reasonOf: (guess: TaskGuess) => string | undefined,
  at?: Guess['at'],
): Guess[] {
  return TASK_NAMES.filter((name) => task === undefined || task === name).flatMap((name) => {
    const reason = reasonOf(readSigns(name));
    return reason === undefined ? [] : [plainGuess(name, reason, at)];
  });
}

/**
 * The guess for a file that is recognized before its rows are read. A task that the user names replaces the guess's own.
 *
 * @param start the beginning of its content
 */
export function guessFile(path: string, start: string, task?: TaskName): Guess | undefined {
  const [found] = plainGuesses(undefined, ({ ofFile }) => ofFile?.(path, start));
  return found && plainGuess(task ?? found.task, found.reason);
}

/**
 * Guesses for a file of texts without rows.
 *
 * @throws UserError for a task that the user names and that learns from rows
 */
export function guessTexts(fileName: string, task: TaskName | undefined): Guess[] {
  const guesses = plainGuesses(task, ({ ofTexts }) => (ofTexts ? 'plain text' : undefined));
  if (guesses.length > 0) return guesses;
  throw new InvalidData({
    where: fileName,
    fault: `has lines of text, but task ${task} learns from rows with several columns`,
    hint: 'Pass a TSV, CSV or JSON Lines file.',
  });
}

/** The kind of a guess's labels. */
export function labelForm({ task }: Pick<Guess, 'task'>): NonNullable<TaskGuess['labels']> {
  return readSigns(task).labels ?? 'class';
}

/** @throws UserError for a name that is not a task */
export function checkedTask(name: string): TaskName {
  const known = TASK_NAMES.find((task) => task === name);
  if (known !== undefined) return known;
  throw new UserError({ key: '--task', fault: `has no task "${name}"`, hint: suggest(name, TASK_NAMES) });
}

/** Whether the rows of a task need a column of labels or of second texts. */
export function hasColumns(task: TaskName): boolean {
  const { ofLabel, ofPair, ofTexts } = readSigns(task);
  return (ofLabel !== undefined || ofPair !== undefined) && !ofTexts;
}

/** All plausible guesses if the user has not named a task. */
function openGuesses(file: File): Guess[] {
  const { columns, fixed } = file;
  const labels = findLabels(file);
  const pair = pairFor(file, labels);
  const texts = findTexts(file, labels);
  const [first] = labels;
  const isNamed = fixed.label !== undefined || (first !== undefined && isNamedLabel(columns[first]!));
  const withLabels = labels.flatMap((label) => textGuesses(file, label, texts));
  if (!pair && first !== undefined && !isNamed) {
    const answered = pairFor(file, []);
    // Sentences that repeat may be the answers to several questions each, or classes with long names.
    if (
      answered?.kind === 'answered' &&
      answered.at.text_pair === first &&
      columns[first]!.length >= SENTENCE
    )
      return [...pairGuesses(file, answered).slice(0, 1), ...withLabels.slice(0, 1)];
  }
  if (!pair) {
    if (withLabels.length === 0 && texts.length === 1 && first === undefined)
      return unlabelled(file, texts[0]!);
    return withLabels;
  }
  const without = pairGuesses(file, pair);
  if (first === undefined) return without;
  const compared = comparedGuess(file, pair, first);
  switch (pair.kind) {
    case 'compared':
      return pair.isNamed || fixed.text_pair !== undefined
        ? [compared]
        : [compared, ...withLabels.slice(0, 1)];
    case 'answered':
    case 'written':
      if (!isNamed) return without;
      // A class beside a question and its answer is their topic, or says whether they match.
      return columns[first]!.distinct > MAX_RELATIONS
        ? [...without.slice(0, 1), ...withLabels.slice(0, 1)]
        : [compared, ...without.slice(0, 1)];
    case 'unknown':
      return withLabels;
  }
}

/** The guess for a task that the user names. */
function taskGuesses(file: File, task: TaskName): Guess[] {
  const { columns, fixed, table } = file;
  const { ofPair, keys = [] } = readSigns(task);
  const reason = 'named by --task';
  if (!hasColumns(task)) {
    const pair = ofPair && pairFor(file, []);
    if (pair && fitOfPair(file, pair, task)) return [guessAt(file, { task, reason }, pair.at)];
    const texts = findTexts(file, []);
    const isRows = table.hasHeader === undefined && texts.length > 0;
    return [plainGuess(task, reason, isRows ? { text: texts[0]! } : {})];
  }
  const label = findLabels(file)[0];
  const pair = pairFor(file, label === undefined ? [] : [label]);
  if (ofPair) {
    const found = pair ?? pairFor(file, []);
    if (!found) return [];
    const isScored =
      label !== undefined &&
      isScale(columns[label]!) &&
      found.kind !== 'answered' &&
      keys.some((some) => some.label !== undefined);
    return [guessAt(file, { task, reason }, isScored ? { ...found.at, label } : found.at)];
  }
  if (label === undefined) return [];
  const isPair = pair && (fixed.text_pair !== undefined || (pair.isNamed && pair.kind === 'compared'));
  const [text] = findTexts(file, [label]);
  if (!isPair) return text === undefined ? [] : [guessAt(file, { task, reason }, { text, label })];
  const { text: first, text_pair } = pair.at;
  return [guessAt(file, { task, reason }, { text: first, text_pair, label })];
}

/** The guess that a task learns from some columns. */
function guessAt(
  file: File,
  { task, reason }: Pick<Guess, 'task' | 'reason'>,
  at: Guess['at'],
  flags = `--task ${task}`,
): Guess {
  const { separator, nested } = file.columns[at.label ?? -1] ?? {};
  const isSeparated = labelForm({ task }) === 'several' && separator !== undefined && nested === undefined;
  return { task, at, learns: learns(file, task, at), reason, flags, ...(isSeparated && { separator }) };
}

/** Guesses for a text and its label. */
function textGuesses(file: File, label: number, texts: readonly number[]): Guess[] {
  const others = texts.filter((text) => text !== label);
  const [text] = others;
  if (text === undefined) return [];
  const { columns, fixed } = file;
  const length = (i: number) => columns[i]!.length;
  const isSure =
    fixed.text !== undefined ||
    TEXT_NAME.test(columns[text]!.name) ||
    others.every((i) => i === text || length(text) >= CLEARLY_LONGER * length(i));
  return (isSure ? [text] : others.slice(0, 2)).flatMap((text) => {
    const at = { text, label };
    const flags = listFlags(file, at);
    return labelTasks(columns[label]!).map((found, i) =>
      guessAt(file, found, at, i === 0 ? flags : `${flags} --task ${found.task}`),
    );
  });
}

/** The tasks for a column of labels, the best first. */
function labelTasks(label: Column): { task: TaskName; reason: string }[] {
  const found = TASK_NAMES.flatMap((task) => {
    const sign = readSigns(task).ofLabel?.(label);
    return sign ? [{ task, ...sign }] : [];
  });
  return chooseBest(found, true);
}

/** The task that fits best, and optionally those that are possible as well. */
function chooseBest<Found extends { fit: Fit }>(found: readonly Found[], withOthers: boolean): Found[] {
  const ofFit = (fit: Fit) => found.filter((one) => one.fit === fit);
  const [best, ...others] = [...ofFit('certain'), ...ofFit('usual'), ...ofFit('possible')];
  if (!best) return [];
  return withOthers ? [best, ...others.filter(({ fit }) => fit === 'possible')] : [best];
}

interface Pair {
  kind: PairKind;
  at: { text: number; text_pair: number; negative?: number };
  isNamed: boolean;
}

/** The two texts of a row, if the rows have two. */
function pairFor(file: File, labels: readonly number[]): Pair | undefined {
  const { table, columns, fixed } = file;
  if (fixed.text !== undefined && fixed.text_pair !== undefined) {
    const at = { text: fixed.text, text_pair: fixed.text_pair };
    return {
      at,
      kind: labels.length > 0 ? 'compared' : pairKind(columns[at.text]!, columns[at.text_pair]!),
      isNamed: true,
    };
  }
  if (findTexts(file, labels).some((i) => columns[i]!.files)) return undefined;
  const texts = columns.flatMap((column, i) => (isText(column) && !labels.includes(i) ? [i] : []));
  const found = findPair(table, columns, texts, [fixed.text, fixed.text_pair]);
  if (!found) return undefined;
  // Only tasks that write texts accept lists of texts.
  const isListed = [found.at.text, found.at.text_pair].some((i) => columns[i]!.nested);
  if (isListed && found.kind !== 'written') return undefined;
  const negative = columns.findIndex(({ name }) => NEGATIVE_NAME.test(name));
  return negative >= 0 && found.kind === 'answered' ? { ...found, at: { ...found.at, negative } } : found;
}

/** Guesses for pairs of texts without a label. */
function pairGuesses(file: File, pair: Pair): Guess[] {
  const reason = 'rows have two texts and no label';
  const found = TASK_NAMES.flatMap((task) => {
    const fit = fitOfPair(file, pair, task);
    return fit ? [{ task, reason, fit }] : [];
  });
  return chooseBest(found, !pair.isNamed).map((one) => guessAt(file, one, pair.at));
}

function fitOfPair({ table, columns }: File, { kind, at }: Pair, task: TaskName): Fit | undefined {
  const isJson = table.hasHeader === undefined;
  const isPrompt = isJson && /^(prompt|instruction)s?$/i.test(columns[at.text]!.name);
  return readSigns(task).ofPair?.(kind, isPrompt);
}

/** The guess for two texts that are compared. */
function comparedGuess(file: File, { at: { text, text_pair } }: Pair, label: number): Guess {
  const { task, reason } = labelTasks(file.columns[label]!)[0]!;
  const at = { text, text_pair, label };
  return guessAt(file, { task, reason: `rows have two texts; ${reason}` }, at, listFlags(file, at));
}

/** Guesses for rows of JSON with one text. */
function unlabelled({ table }: File, text: number): Guess[] {
  if (table.hasHeader !== undefined) return [];
  return plainGuesses(undefined, ({ ofTexts }) => (ofTexts ? 'rows have one text' : undefined), { text });
}

/** Columns that may contain the labels: the named one, all with equally good reasons, or none. The best comes first. */
function findLabels({ columns, fixed, table }: File): number[] {
  if (fixed.label !== undefined) return [fixed.label];
  const taken = [fixed.text, fixed.text_pair];
  const places = columns.map((_, i) => i).filter((i) => !taken.includes(i));
  const among = (test: (column: Column) => boolean) => places.filter((i) => test(columns[i]!));
  const named = among(isNamedLabel).filter((i) => columns[i]!.distinct > 0);
  if (named.length > 0) return named;
  const scores = among((column) => hasScoreName(column) && column.isNumeric);
  if (scores.length > 0) return scores;
  const classes = among((column) => mayBeLabel(column) && !TEXT_NAME.test(column.name));
  const scales = among((column) => mayBeScale(column));
  const isPairs = scales.length > 0 && findPair(table, columns, among(isText), [])?.kind === 'compared';
  classes.sort((a, b) => columns[a]!.distinct - columns[b]!.distinct);
  return isPairs || classes.length === 0 ? [...scales, ...classes.slice(0, 1)] : classes;
}

/** Whether a column has the name of labels. A target may also be a text to write. */
function isNamedLabel(column: Column): boolean {
  return (
    LABEL_NAME.test(column.name) && (!/^target$/i.test(column.name) || column.isNumeric || mayBeLabel(column))
  );
}

/** Whether a column without a label's name may be a scale. Whole numbers are more often ids, years or amounts. */
function mayBeScale(column: Column): boolean {
  return isScale(column) && !column.isWhole && !column.isNumbering;
}

/** Columns of texts, the best first. */
function findTexts({ columns, fixed }: File, labels: readonly number[]): number[] {
  if (fixed.text !== undefined) return [fixed.text];
  const others = columns.flatMap((column, i) => (i === fixed.text_pair || !isText(column) ? [] : [i]));
  const texts = others.filter((i) => i !== labels[0]);
  const files = texts.filter((i) => columns[i]!.files);
  if (files.length > 0) return files;
  const rank = (i: number) => (TEXT_NAME.test(columns[i]!.name) ? 0 : labels.includes(i) ? 2 : 1);
  return texts.sort((a, b) => rank(a) - rank(b) || columns[b]!.length - columns[a]!.length);
}

function learns({ columns }: Pick<File, 'columns'>, task: TaskName, at: Guess['at']): string {
  const name = (role: ColumnRole) => JSON.stringify(columns[at[role]!]?.name ?? '');
  const texts =
    at.text_pair === undefined ? name('text') : `pairs of ${name('text')} and ${name('text_pair')}`;
  const { learns: said = () => task } = readSigns(task);
  return said({
    texts,
    text: name('text'),
    pair: name('text_pair'),
    label: at.label === undefined ? undefined : name('label'),
  });
}

function listFlags({ columns, table }: Pick<File, 'columns' | 'table'>, at: Guess['at']): string {
  const name = (i: number) => (table.hasHeader === false ? `${i}` : columns[i]!.name);
  const quoted = (i: number) => (/^[\w.-]+$/.test(name(i)) ? name(i) : `'${name(i)}'`);
  const flags = { text: '--text', text_pair: '--text-pair', label: '--label' };
  return Object.entries(flags)
    .flatMap(([role, flag]) => {
      const place = at[role as 'text' | 'text_pair' | 'label'];
      return place === undefined ? [] : [`${flag} ${quoted(place)}`];
    })
    .join(' ');
}

function findPlace(
  { fileName, columns }: Table,
  role: ColumnRole,
  column: string | number | undefined,
): number | undefined {
  if (column === undefined) return undefined;
  const place = typeof column === 'number' ? column : columns.indexOf(column);
  if (place >= 0 && place < columns.length) return place;
  throw new UserError({
    where: `--${role.replace('_', '-')}`,
    fault: `names "${column}", which is not a column of ${fileName}`,
    hint:
      typeof column === 'number'
        ? `Its columns are 0 to ${columns.length - 1}.`
        : suggestAmong(column, columns, "The file's columns"),
    code: 'unknown_column',
  });
}

/** @throws UserError for labels from which nothing can be learned, and for texts that are all equal */
function checkGuess({ table: { fileName }, columns, fixed }: File, { at, task }: Guess): void {
  const [text, label] = [columns[at.text ?? -1], columns[at.label ?? -1]];
  const names = columns.map(({ name }) => name).join(', ');
  if (text && text.distinct < 2 && fixed.text !== undefined)
    throw new InvalidData({
      where: fileName,
      fault: `has ${text.distinct === 0 ? 'no text' : 'the same text in every row'} in column "${text.name}"`,
      hint: `Name the column of texts: --text COLUMN (${names}).`,
    });
  if (label?.hasDecimalCommas)
    throw new InvalidData({
      where: fileName,
      fault: `has numbers with a decimal comma in column "${label.name}"`,
      hint: `Write them with a point, or name another column: --label COLUMN (${names}).`,
    });
  if (!label || labelForm({ task }) === 'number') return;
  if (label.distinct < 2)
    throw new InvalidData({
      where: fileName,
      fault: `has ${label.distinct === 0 ? 'no label' : 'only one label'} in column "${label.name}", which is not enough to train a classifier`,
      hint: `Add rows with another label, or name the column of labels: --label COLUMN (${names}).`,
    });
  const isEachOnce = label.filled >= MIN_ROWS_TO_REJECT && label.distinct > MAX_SINGLE_SHARE * label.filled;
  if (!isEachOnce || label.separator !== undefined || repeats(label)) return;
  const uses = label.hasWords
    ? 'If these are answers to find for a text, use --task sentence_embedding; if they are texts to write, --task seq2seq_lm.'
    : 'If these are numbers on a scale, use --task regression.';
  throw new InvalidData({
    where: fileName,
    fault: `has ${label.distinct} different labels in ${label.filled} rows of column "${label.name}", and a class needs several rows`,
    hint: `${uses} Or name another column: --label COLUMN (${names}).`,
  });
}

function nothingToLearn({ table: { fileName }, columns }: File): UserError {
  const names = columns.map(({ name }) => name).join(', ');
  const texts = columns.filter((column) => isText(column));
  const same = columns.find(({ name, distinct }) => TEXT_NAME.test(name) && distinct === 1);
  if (same || texts.length === 0)
    return new InvalidData({
      where: fileName,
      fault: same ? `has the same text in every row of column "${same.name}"` : 'has no column of texts',
      hint: `Its columns are ${names}. To name one: --text COLUMN`,
    });
  return new InvalidData({
    where: fileName,
    fault: `has ${columns.length === 1 ? 'one column, of texts' : 'texts'} and no column of labels or of second texts`,
    hint: `Its columns are ${names}. Add a column with a label per row to classify, or one with answers to search. To train a language model on texts, use a .txt file or JSON Lines.`,
  });
}
