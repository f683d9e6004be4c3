import { UserError } from '../../src/support/user-error.ts';
import { type Column, describeColumns, findTexts } from '../../src/tasks/guess/columns.ts';
import { type Guess, guessData } from '../../src/tasks/guess/guess-data.ts';
import type { Goal, Wish } from '../worker/goal.ts';
import type { PageTable } from './read-table.ts';
import type { RowFiles } from './row-files.ts';

/** Goals of the page by task. Other tasks need the command line. */
const GOALS: Partial<Record<Guess['task'], Goal>> = {
  single_label_classification: 'labels',
  sentence_embedding: 'search',
  automatic_speech_recognition: 'transcripts',
};

/** Goals of labels, by what has them. */
const LABELS: Record<RowFiles['medium'], Goal> = { image: 'pictures', audio: 'sounds' };

/**
 * Guesses what a table is for. The user may choose otherwise.
 *
 * @param columns their statistics, if they are known
 * @returns the guess, and a notice if the page cannot do what the file seems to be for
 */
export function guessWish(
  table: PageTable,
  columns: readonly Column[] = describeColumns(table),
): { wish: Wish; notice?: string } {
  const last = table.columns.length - 1;
  const goal = table.contents ? LABELS[table.contents.medium] : 'labels';
  const longest = table.contents ? undefined : findTexts(columns);
  // A column with few different values has labels instead.
  const isText = longest !== undefined && 2 * columns[longest]!.distinct > columns[longest]!.filled;
  const texts = isText ? longest : 0;
  const none: Wish = { goal, at: [texts, texts === 0 ? Math.min(1, last) : 0] };
  const wishOf = (guess: Guess): Wish | undefined => {
    const found = readGuess(guess, columns);
    return found && { ...found, goal: found.goal === 'labels' ? goal : found.goal };
  };
  // Unlabeled pictures need no notice, because the page offers to label them.
  if (table.contents && last === 0) return { wish: none };
  try {
    const guesses = guessData(table, {}, columns);
    const [best] = guesses;
    const wishes = guesses.flatMap((guess) => wishOf(guess) ?? []);
    const wish = wishes[0] ?? none;
    if (wishOf(best!)) {
      const other = guesses[1] ? { notice: `It could also be used to ${guesses[1].learns}.` } : {};
      return { wish, ...other };
    }
    const command = `npx adalora train ${table.fileName} ${best!.flags}`;
    return {
      wish,
      notice: `It seems to be for a model to ${best!.learns}. For that, use the command line: ${command}`,
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { wish: none, notice: error.message };
  }
}

function readGuess(
  { task, at: { text, text_pair, label } }: Guess,
  columns: readonly Column[],
): Wish | undefined {
  const goal = GOALS[task];
  const place = (name: string) => columns.findIndex((column) => column.name === name);
  // The task is recognized by these names.
  if (goal === 'transcripts') return { goal, at: [place('file_name'), place('text')] };
  if (goal === 'labels' && text_pair === undefined) return { goal, at: [text!, label!] };
  if (goal === 'search' && label === undefined) return { goal, at: [text!, text_pair!] };
  return undefined;
}
