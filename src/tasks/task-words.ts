/** Texts about a task, for the model card, the report and the terminal. */
export interface TaskTexts<Data> {
  /** The name of the task in a report, such as "classification". */
  name: string;
  /** The purpose of its models, such as "classification of texts". Model cards say "An adapter of … for" it. */
  trainedFor(data: Partial<Data>): string;
  /** Its names on the Hub, for texts. */
  hub: { pipeline: string; name: string };
  /** The medium of the files that rows name. Undefined for texts. */
  medium?(data: Partial<Data>): string | undefined;
  /** How to use a model in a terminal, in the run's folder. */
  use(data: Partial<Data>): { command: string; explanation?: string };
  /** How Python uses its models. */
  python(data: Partial<Data> & { max_length?: number }, result: PythonResult): PythonUse;
  /** An alternative to prediction, if the task does not predict. */
  instead?: string;
  /** Lines of JavaScript that use the ONNX model in the folder `onnx` with transformers.js, for the model card. */
  javaScript?(data: Partial<Data>): readonly string[];
}

/** The result of a run. */
export interface PythonResult {
  /** The folder of the adapter or the model. */
  folder: string;
  /** Whether sentence vectors have length 1. */
  normalize: boolean;
}

/** Python code that uses a model. */
export interface PythonUse {
  /** The class in transformers that loads the model. */
  autoModel: string;
  /** Whether the class has a head with one output per label. */
  hasClasses?: boolean;
  /** Lines that import what `lines` need besides the model and what makes inputs. */
  imports?: readonly string[];
  /** Lines that use `model` and what makes its inputs: see program/modalities/in-python.ts. */
  lines: readonly string[];
}
