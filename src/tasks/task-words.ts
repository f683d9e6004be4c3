/** The texts about a task: on the card, in the report, in a terminal. */
export interface TaskWords<Data> {
  /** The kind of task, for a report: "classification". */
  name: string;
  /** The purpose, after "An adapter of … for": "classification of texts". */
  purpose(data: Partial<Data>): string;
  /** Its name on the Hub. */
  hub: { pipeline: string; name: string };
  /** The class of transformers that loads its models. */
  autoModel: string;
  /** How to use it in a terminal, in the run's folder. */
  use(data: Partial<Data>): { command: string; explanation?: string };
  /** Lines of Python that use `model` and `tokenizer`. */
  python(data: Partial<Data> & { max_length?: number }): readonly string[];
  /** An alternative to prediction, if the task does not predict. */
  instead?: string;
  /** Whether its models have a head with one output per label. */
  hasClasses: boolean;
}
