/** What a sequence-level head is trained for; the names are those of Hugging Face's `config.problem_type`. */
export type TaskType = 'single_label_classification' | 'regression' | 'multi_label_classification';

/** Everything that a model can be trained for. */
export type TaskName = TaskType | LanguageTask;

/** Tasks whose targets are the words of the text itself. */
export type LanguageTask = 'causal_lm' | 'masked_lm';

export function isLanguageTask(task: TaskName): task is LanguageTask {
  return task === 'causal_lm' || task === 'masked_lm';
}
