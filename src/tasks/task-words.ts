/** What people read of a task: on the card, in the report, in a terminal. */
export interface TaskWords<Data> {
  /** "classification", in a report. */
  name: string;
  /** Behind "An adapter of … for": "classification of texts". */
  purpose(data: Partial<Data>): string;
  /** What the Hub calls it. */
  hub: { pipeline: string; name: string };
  /** The class of transformers that loads its models. */
  autoModel: string;
  /** How it is used in a terminal, in the run's folder. */
  use(data: Partial<Data>): { command: string; explanation?: string };
  /** Lines of Python that use `model` and `tokenizer`. */
  python(data: Partial<Data> & { max_length?: number }): readonly string[];
  /** Where it does not predict: what to do instead. */
  instead?: string;
  /** Whether its models have a head of as many outputs as there are labels. */
  hasClasses: boolean;
}
