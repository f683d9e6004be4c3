import type { Generated } from '../program/generation/prompt.ts';
import type { DefinedTasks } from './define-task.ts';
import type { TextInput } from './labeled/read-inputs.ts';
import type { LabelSetAnswer } from './multi-label-classification/definition.ts';
import type { QuestionInput, SpanAnswer } from './question-answering/definition.ts';
import type { TaskName } from './registry.ts';
import type { ScoreAnswer } from './regression/definition.ts';
import type { EmbeddedText, Embedding } from './sentence-embedding/embed-texts.ts';
import type { Source } from './seq2seq-lm/predict-texts.ts';
import type { ClassAnswer } from './single-label-classification/definition.ts';
import type { Words } from './token-classification/definition.ts';
import type { TaggedWords } from './token-classification/read-words.ts';

/** The inputs and answers of a task's models. A program adds its own tasks by declaration merging. */
export interface PredictionTypes {
  single_label_classification: { input: TextInput; answer: ClassAnswer };
  multi_label_classification: { input: TextInput; answer: LabelSetAnswer };
  regression: { input: TextInput; answer: ScoreAnswer };
  reranking: { input: TextInput; answer: ScoreAnswer };
  token_classification: { input: Words; answer: TaggedWords };
  question_answering: { input: QuestionInput; answer: SpanAnswer };
  seq2seq_lm: { input: Source; answer: Generated };
  sentence_embedding: { input: EmbeddedText; answer: Embedding };
}

/** The task whose types a model has if a program does not name one. */
export type UsualTask = 'single_label_classification';

/** The built-in tasks, and those that a program defines. */
export type AnyTaskName = TaskName | keyof DefinedTasks;

export type InputOf<Task extends AnyTaskName> = Task extends keyof PredictionTypes
  ? PredictionTypes[Task]['input']
  : object;

export type AnswerOf<Task extends AnyTaskName> = Task extends keyof PredictionTypes
  ? PredictionTypes[Task]['answer']
  : object;
