import { TEXT_NAME } from '../../input/data/detect-format.ts';
import { joinFlags, type Table } from '../../input/data/table/read-table.ts';
import { suggest, suggestAmong } from '../../support/text.ts';
import { attemptAll, InvalidData, UserError } from '../../support/user-error.ts';
import { TASK_NAMES, type TaskName, taskNamed } from '../registry.ts';
import type { ColumnRole, TaskGuess } from '../task-definition.ts';
import {
  type Column,
  describeColumns,
  hasScoreName,
  isScale,
  isText,
  mayBeLabel,
  repeats,
} from './columns.ts';
import { findPairs, type TextPair } from './pairs.ts';

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
const LABEL_NAME =
  /^(labels?|class|classes|category|categories|target|tags?|y|sentiment|intent|topics?|queue|department|gold|gold_label|is_duplicate|kategorie|klasse|thema|abteilung)$/i;
const NEGATIVE_NAME = /^(hard_?)?negatives?$/i;

/*
 * A guess has the sum of three scores: those of its texts, of its labels, and of its task. The best sum is chosen, and
 * the second is printed if it is near. Only differences matter. They are set so that names outweigh shapes.
 */
const NEAR = 1;
const OF_LABEL = { named: 6, score: 3, repeated: 2, scale: -1 };
const OF_TEXT = { files: 12, named: 3, other: 1 };
/** Pairs: by name; with a label that may say whether they match; whose second texts repeat as classes do; the only two. */
const OF_PAIR = { named: 9.5, matched: 4.2, repeated: 5.5, unknown: 1 };

/** Numbers of columns that are combined. */
const MAX_TEXTS = 30;
const MAX_LABELS = 10;
/** Answers with at least this many characters on average are sentences rather than classes such as yes and no. */
const SENTENCE = 15;
/** Pairs of texts have at most this many relations: entailment, contradiction or neither. */
const MAX_RELATIONS = 3;
/** A file with fewer rows may have each label once by chance. */
const MIN_ROWS_TO_REJECT = 5;
/** If a larger share of the labels occurs once, they are not classes. */
const MAX_SINGLE_SHARE = 0.8;

/** A table whose columns of 0 and 1 are joined to one column of labels, if no column is named like labels. */
export function joinLabels(table: Table): Table {
  return table.hasHeader === false ? table : joinFlags(table, (name) => LABEL_NAME.test(name));
}

/**
 * Guesses what a table is for. The first guess is the best. A second one follows if it is near.
 *
 * @throws UserError for a column or task that does not exist, and for a table from which nothing can be learned
 */
export function guessData(
  table: Table,
  given: Given = {},
  columns: readonly Column[] = describeColumns(table),
): Guess[] {
  const [text, text_pair, label] = attemptAll(
    (['text', 'text_pair', 'label'] as const).map((role) => () => findPlace(table, role, given[role])),
  );
  const file: File = { table, columns, fixed: { text, text_pair, label } };
  const task = given.task === undefined ? undefined : checkedTask(given.task);
  const [shaped] = plainGuesses(task, ({ ofColumns }) => ofColumns?.(columns));
  if (shaped) return [shaped];
  const scored = listCandidates(file).flatMap((candidate) =>
    (task === undefined ? TASK_NAMES : [task]).flatMap((name) => scoreGuess(file, candidate, name) ?? []),
  );
  scored.sort((a, b) => b.score - a.score);
  const [best] = scored;
  const near = scored.filter(({ score }) => best!.score - score < NEAR).map(({ guess }) => guess);
  const guesses = best ? near.slice(0, task === undefined ? 2 : 1) : guessAlone(file, task);
  if (guesses.length === 0) throw nothingToLearn(file);
  checkGuess(file, guesses[0]!);
  return guesses;
}

interface File {
  table: Table;
  columns: readonly Column[];
  fixed: Partial<Record<'text' | 'text_pair' | 'label', number | undefined>>;
}

/** Columns that a task may learn from, and how well their names and content show it. */
interface Candidate {
  at: Guess['at'];
  pair?: TextPair['kind'];
  score: number;
}

function listCandidates(file: File): Candidate[] {
  const { table, columns, fixed } = file;
  const texts = rankTexts(file);
  const singles = fixed.text === undefined ? texts : [fixed.text];
  const hasFiles = singles.some((i) => columns[i]!.files);
  const pairs = hasFiles ? [] : findPairs(table, columns, texts, fixed);
  const negative = columns.findIndex(({ name }) => NEGATIVE_NAME.test(name));
  const labels = rankLabels(file);
  const withLabels = labels.flatMap((label): Candidate[] => [
    ...(fixed.text_pair !== undefined ? [] : singles).map((text) => ({
      at: { text, label },
      score: scoreText(file, text) + scoreLabel(file, label)!,
    })),
    ...pairs.flatMap(({ at, ...pair }) => {
      const kind = fixed.text_pair === undefined ? pair.kind : 'compared';
      const score = scorePair(file, { at, ...pair, kind }, columns[label]);
      return score === undefined
        ? []
        : [{ at: { ...at, label }, pair: kind, score: score + scoreLabel(file, label)! }];
    }),
  ]);
  const without = pairs.flatMap(({ at, ...pair }): Candidate[] => {
    const score = scorePair(file, { at, ...pair });
    const all = negative >= 0 && pair.kind === 'answered' ? { ...at, negative } : at;
    return score === undefined ? [] : [{ at: all, pair: pair.kind, score }];
  });
  return [...withLabels, ...(fixed.label === undefined ? without : [])].filter(
    ({ at }) => new Set(Object.values(at)).size === Object.values(at).length,
  );
}

/** Columns of texts, the best first. If some are names of files, only those. */
function rankTexts(file: File): number[] {
  const { columns, fixed } = file;
  const texts = columns.flatMap((column, i) => (isText(column) || i === fixed.text ? [i] : []));
  const files = texts.filter((i) => columns[i]!.files);
  const scores = new Map(texts.map((i) => [i, scoreText(file, i)]));
  return (files.length > 0 ? files : texts)
    .sort((a, b) => scores.get(b)! - scores.get(a)!)
    .slice(0, MAX_TEXTS);
}

function scoreText({ columns, fixed }: File, i: number): number {
  const { name, length, files } = columns[i]!;
  if (i === fixed.text) return OF_TEXT.named;
  if (files) return OF_TEXT.files;
  const longest = columns.reduce(
    (most, column) => (isText(column) ? Math.max(most, column.length) : most),
    1,
  );
  // A text that is three times longer than any other is clearly the main one.
  const lack = Math.log(longest / Math.max(length, 1)) / Math.log(3);
  if (TEXT_NAME.test(name)) return OF_TEXT.named - Math.min(NEAR, lack) / 2;
  return OF_TEXT.other - lack - (mayBeLabel(columns[i]!) ? NEAR : 0);
}

/** Columns that may contain labels, the best first. */
function rankLabels(file: File): number[] {
  const { label } = file.fixed;
  const places = label === undefined ? [...file.columns.keys()] : [label];
  const scores = new Map(places.map((i) => [i, scoreLabel(file, i)]));
  return places
    .filter((i) => scores.get(i) !== undefined)
    .sort((a, b) => scores.get(b)! - scores.get(a)!)
    .slice(0, MAX_LABELS);
}

function scoreLabel({ columns, fixed }: File, i: number): number | undefined {
  const column = columns[i]!;
  const { name, isNumeric, isWhole, isNumbering, distinct, filled } = column;
  if (i === fixed.label) return OF_LABEL.named;
  // A target may also be a text to write.
  if (LABEL_NAME.test(name) && filled > 0 && (!/^target$/i.test(name) || isNumeric || mayBeLabel(column)))
    return OF_LABEL.named;
  if (isNumeric && hasScoreName(column)) return OF_LABEL.score;
  if (mayBeLabel(column) && !TEXT_NAME.test(name)) return OF_LABEL.repeated - (0.1 * distinct) / filled;
  // Whole numbers are more often ids, years or amounts.
  return isScale(column) && !isWhole && !isNumbering ? OF_LABEL.scale : undefined;
}

/** Undefined for texts that are no pair, or not one for this label. */
function scorePair(file: File, { at, kind }: TextPair, label?: Column): number | undefined {
  const { columns, fixed } = file;
  const [first, second] = [columns[at.text]!, columns[at.text_pair]!];
  if (fixed.text_pair !== undefined) return OF_PAIR.named;
  // Only tasks that write or rank texts accept lists of texts.
  const hasLists = second.nested === 'list' && label?.nested === 'list' && !label.hasWords;
  if ((first.nested || second.nested) && kind !== 'written')
    return !first.nested && hasLists && kind === 'answered' ? OF_PAIR.matched : undefined;
  if (mayBeLabel(second) && second.length < SENTENCE) return undefined;
  if (kind === 'unknown') return label ? undefined : OF_PAIR.unknown;
  if (label && kind !== 'compared') {
    const isMatch = label.isNumeric && hasScoreName(label);
    const isRelation = LABEL_NAME.test(label.name) && label.distinct <= MAX_RELATIONS;
    return isMatch || isRelation || fixed.label !== undefined ? OF_PAIR.matched : undefined;
  }
  return mayBeLabel(second) ? OF_PAIR.repeated : OF_PAIR.named;
}

/** How well a task fits columns. */
function scoreGuess(
  file: File,
  { at, pair, score }: Candidate,
  task: TaskName,
): { guess: Guess; score: number } | undefined {
  const { columns, table } = file;
  const label = columns[at.label ?? -1];
  const { name: first } = columns[at.text!]!;
  const isPrompt = table.hasHeader === undefined && /^(prompt|instruction)s?$/i.test(first);
  const isQuery = /^(query|search|search_?term)$/i.test(first);
  const isShared = repeats(columns[at.text!]!);
  const { fits, labels, learns, takesLists } = readSigns(task);
  if (label && columns[at.text_pair ?? -1]?.nested === 'list' && !takesLists) return undefined;
  const fit = fits?.({ label, pair, isPrompt, isQuery, isShared });
  if (!fit) return undefined;
  const { separator, nested } = label ?? {};
  const isSeparated = labels === 'several' && separator !== undefined && nested === undefined;
  const name = (role: ColumnRole) => JSON.stringify(columns[at[role]!]?.name ?? '');
  const [text, second] = [name('text'), name('text_pair')];
  const names = {
    texts: pair ? `pairs of ${text} and ${second}` : text,
    text,
    pair: second,
    label: label && name('label'),
  };
  const { reason: why = 'rows have two texts and no label' } = fit;
  const reason = pair && label ? `rows have two texts; ${why}` : why;
  const guess: Guess = {
    task,
    at,
    learns: learns?.(names) ?? task,
    reason,
    flags: listFlags(file, task, at),
  };
  return { guess: isSeparated ? { ...guess, separator } : guess, score: score + fit.score };
}

/** Guesses for texts without labels or second texts. */
function guessAlone(file: File, task: TaskName | undefined): Guess[] {
  const texts = rankTexts(file);
  const at = file.table.hasHeader === undefined && texts.length > 0 ? { text: texts[0]! } : {};
  if (task !== undefined) return hasColumns(task) ? [] : [plainGuess(task, 'named by --task', at)];
  const isAlone =
    at.text !== undefined && texts.length === 1 && rankLabels(file).length === 0 && !labelObjects(file);
  return isAlone ? plainGuesses(task, ({ ofTexts }) => (ofTexts ? 'rows have one text' : undefined), at) : [];
}

const ROLES: readonly ColumnRole[] = ['text', 'text_pair', 'negative', 'label'];

/** The columns of a guess by their keys in the `data` section of its task. */
export function listKeys({
  task,
  at,
}: Pick<Guess, 'task' | 'at'>): { key: string; role: ColumnRole; at: number }[] {
  const roles = ROLES.filter((role) => at[role] !== undefined);
  const keys = readSigns(task).keys?.find((some) => roles.every((used) => some[used] !== undefined));
  return roles.map((role) => ({ key: keys?.[role] ?? role, role, at: at[role]! }));
}

/** A task that says nothing is never guessed. It can be named. */
function readSigns(task: TaskName): TaskGuess {
  return taskNamed(task).guess ?? {};
}

/** A table without columns to choose, such as lines of a book, conversations or questions with spans. */
function plainGuess(task: TaskName, reason: string, at: Guess['at'] = {}): Guess {
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
  if (task !== undefined && !hasColumns(task)) return [plainGuess(task, 'named by --task')];
  const guesses = plainGuesses(task, ({ ofTexts }) => (ofTexts ? 'plain text' : undefined));
  if (guesses.length > 0) return guesses;
  throw new InvalidData({
    where: fileName,
    fault: `has lines of text, but task ${task} learns from rows with several columns`,
    hint: 'Pass a TSV, CSV or JSON Lines file.',
  });
}

/** The kind of a guess's labels. */
function labelForm({ task }: Pick<Guess, 'task'>): NonNullable<TaskGuess['labels']> {
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
  const { fits, ofTexts } = readSigns(task);
  return fits !== undefined && !ofTexts;
}

function listFlags({ columns, table }: File, task: TaskName, at: Guess['at']): string {
  const name = (i: number) => (table.hasHeader === false ? `${i}` : columns[i]!.name);
  const quoted = (i: number) => (/^[\w.-]+$/.test(name(i)) ? name(i) : `'${name(i)}'`);
  const flags = (['text', 'text_pair', 'label'] as const).flatMap((role) =>
    at[role] === undefined ? [] : [`--${role.replace('_', '-')} ${quoted(at[role])}`],
  );
  return [`--task ${task}`, ...flags].join(' ');
}

/**
 * The place of a column that a flag names.
 *
 * @throws UserError for a column that the file does not have
 */
export function findPlace(
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
function checkGuess({ table, columns, fixed }: File, { at, task }: Guess): void {
  const { fileName } = table;
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
  if (label.nested === 'list' && table.rows.every((row) => /^[01](;[01])+$/.test(row[at.label!]!)))
    throw new InvalidData({
      where: fileName,
      fault: `has lists of 0 and 1 in column "${label.name}" instead of labels`,
      hint: 'Write the names of the labels that apply, or a column of 0 and 1 for each label.',
    });
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

/** A column that is named like labels and has objects. */
function labelObjects({ columns }: File): Column | undefined {
  return columns.find(({ name, nested }) => nested === 'object' && LABEL_NAME.test(name));
}

function nothingToLearn(file: File): UserError {
  const { columns, table } = file;
  const { fileName } = table;
  const objects = labelObjects(file);
  if (objects) {
    const hint = 'Write a text, a number or a list of texts.';
    return new InvalidData({ where: fileName, fault: `has objects in column "${objects.name}"`, hint });
  }
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
