/** Texts about a task, for the model card, the report and the terminal. */
export interface TaskWords<Data> {
  /** The name of the task in a report, such as "classification". */
  name: string;
  /** What its models are trained for, such as "classification of texts". Model cards say "An adapter of … for" it. */
  trainedFor(data: Partial<Data>): string;
  /** Its names on the Hub. */
  hub: { pipeline: string; name: string };
  /** Name of the class in transformers that loads its models. */
  autoModel: string;
  /** How to use a model in a terminal, in the run's folder. */
  use(data: Partial<Data>): { command: string; explanation?: string };
  /** Lines of Python code that use `model` and `tokenizer`. */
  python(data: Partial<Data> & { max_length?: number }): readonly string[];
  /** An alternative to prediction, if the task does not predict. */
  instead?: string;
  /** Whether its models have a head with one output per label. */
  hasClasses: boolean;
}
