import type { Scores } from '../../src/program/example-set.ts';
import { countedNoun, score } from '../../src/studies/report/format.ts';
import type { Medium } from '../data/row-files.ts';
import type { Goal } from '../worker/goal.ts';

interface GoalWords {
  /** The names of the two columns. */
  columns: readonly [string, string];
  /** A word for different values of the second column. */
  targets: string;
  /** The name of the score that `score` prints, without `eval_`. */
  metric: string;
  /** The score of a finished run on its held-out rows; 0 if it was cross-validated. */
  score(metrics: Scores, rows: number): string;
  /** A second score. */
  more(metrics: Scores): string;
  /** The inputs that the user may type or choose. */
  typed: string;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A share of correct labels, on rows, pictures or sounds. */
const correct = (noun: string): Pick<GoalWords, 'metric' | 'score' | 'more' | 'targets'> => ({
  targets: 'label',
  metric: 'accuracy',
  score: (metrics, rows) =>
    rows === 0
      ? `Correct on ${percent(metrics.eval_accuracy!)} of ${noun}s that it has not seen.`
      : `Correct on ${percent(metrics.eval_accuracy!)} of ${countedNoun(rows, `held-out ${noun}`)}.`,
  more: (metrics) => `F1 is ${score(metrics.eval_f1!)}.`,
});

interface ModelWords {
  /** The files of a model that the user chooses. */
  files: string;
  /** A model to download. */
  example: string;
}

/** The channel on which a tab tells the others that it has kept a model (its name), or deleted one. */
export const MODELS_CHANNEL = 'adalora-models';

/** The size of a model. */
export function fileSize(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** The texts of the page that depend on what the model reads. */
export const MODEL_WORDS: Record<Medium, ModelWords> = {
  text: {
    files: 'Encoder: config.json, tokenizer.json and model.safetensors, or a zip of its folder',
    example: 'sentence-transformers/all-MiniLM-L6-v2',
  },
  image: {
    files: 'Vision transformer: config.json, preprocessor_config.json and model.safetensors',
    example: 'facebook/dinov2-small',
  },
  audio: {
    files:
      'Whisper: config.json, preprocessor_config.json, generation_config.json, tokenizer.json, tokenizer_config.json and model.safetensors',
    example: 'openai/whisper-tiny.en',
  },
};

/** The texts of the page that depend on the goal. */
export const GOAL_WORDS: Record<Goal, GoalWords> = {
  labels: {
    ...correct('row'),
    columns: ['Texts', 'Labels'],
    typed: 'Type a text to see how it is labeled',
  },
  pictures: {
    ...correct('picture'),
    columns: ['Pictures', 'Labels'],
    typed: 'Choose a picture to see how it is labeled',
  },
  sounds: {
    ...correct('sound'),
    columns: ['Sounds', 'Labels'],
    typed: 'Choose a sound to see how it is labeled',
  },
  transcripts: {
    columns: ['Sounds', 'Transcripts'],
    targets: 'transcript',
    metric: 'wer',
    score: (metrics, rows) =>
      `Writes ${percent(metrics.eval_wer!)} of the words wrong in ${countedNoun(rows, 'held-out sound')}.`,
    more: (metrics) => `Without case and punctuation, ${percent(metrics.eval_wer_normalized!)}.`,
    typed: 'Choose a sound to see its transcript',
  },
  search: {
    columns: ['Questions', 'Answers'],
    targets: 'answer',
    metric: 'accuracy@1',
    score: (metrics, rows) =>
      `Finds the right answer first for ${percent(metrics['eval_accuracy@1']!)} of ${rows === 0 ? 'questions that it has not seen' : countedNoun(rows, 'held-out question')}.`,
    more: (metrics) => `For ${percent(metrics['eval_recall@5']!)} it is among the first five.`,
    typed: 'Type a question to find its answer',
  },
};
