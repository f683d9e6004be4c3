/** What a sequence-level head is trained for; the names are those of Hugging Face's `config.problem_type`. */
export type TaskType = 'single_label_classification' | 'regression' | 'multi_label_classification';
