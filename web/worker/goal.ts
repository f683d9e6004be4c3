import { findMedium } from '../../src/input/media/media.ts';
import type { PageTable } from '../data/read-table.ts';
import type { RowFiles } from '../data/row-files.ts';
import { type PairSplit, splitPairs, splitTranscripts } from '../data/split-pairs.ts';
import { type LabeledSplit, splitRows } from '../data/split-rows.ts';
import type { PageRun } from './page-run.ts';

/**
 * The skill that a model of the page learns: to label texts, pictures or sounds, to find the answer to a question, or to write
 * down speech.
 */
export type Goal = 'labels' | 'pictures' | 'sounds' | 'search' | 'transcripts';

/** The media of inputs that are files. */
export const GOAL_MEDIA: Readonly<Record<Goal, RowFiles['medium'] | undefined>> = {
  labels: undefined,
  pictures: 'image',
  sounds: 'audio',
  search: undefined,
  transcripts: 'audio',
};

/** A goal, with its columns: inputs and their labels, questions and answers, or sounds and transcripts. */
export interface Wish {
  goal: Goal;
  at: readonly [input: number, target: number];
}

/**
 * The rows for a goal.
 *
 * @throws UserError for columns from which nothing can be learned
 */
export function splitFor({ goal, at }: Wish, table: PageTable): LabeledSplit | PairSplit {
  if (goal === 'search') return splitPairs(table, at);
  return goal === 'transcripts' ? splitTranscripts(table, at) : splitRows(table, at);
}

export function chooseGoal({ config, files }: Pick<PageRun, 'config' | 'files'>): Goal {
  if (config.task === 'sentence_embedding') return 'search';
  if (config.task === 'automatic_speech_recognition') return 'transcripts';
  const contents = Object.keys(files).filter((name) => typeof files[name] !== 'string');
  if (contents.length === 0) return 'labels';
  return findMedium(contents)?.name === 'audio' ? 'sounds' : 'pictures';
}
