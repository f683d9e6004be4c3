import type { MethodTexts } from '../../methods/tuners/method-definition.ts';

/** How a Python library loads the result of a run. */
interface PythonLoading {
  /** The library's key on the Hub. */
  hub: string;
  /** The library's name in a sentence. */
  name: string;
  /** The folder of the result. An adapter needs the files of its base model. */
  folder: 'adapter' | 'model';
  imports: readonly string[];
  /**
   * Returns the lines of code that create `model`. An adapter is float32, but a base may be stored in half precision.
   *
   * @param base an expression that creates the base model
   * @param autoModel the class to load a model with
   */
  load(base: string, autoModel: string): readonly string[];
}

const HUGGING_FACE = "Hugging Face's libraries";

/** By the `library` that a method names. */
export const PYTHON_LOADING: Readonly<Record<NonNullable<MethodTexts['library']>, PythonLoading>> = {
  peft: {
    hub: 'peft',
    name: HUGGING_FACE,
    folder: 'adapter',
    imports: ['from peft import PeftModel'],
    load: (base) => [`base = ${base}.float()`, 'model = PeftModel.from_pretrained(base, "adapter").eval()'],
  },
  adapters: {
    hub: 'adapter-transformers',
    name: "AdapterHub's library `adapters`",
    folder: 'adapter',
    imports: ['import adapters'],
    load: (base) => [
      `model = ${base}.float()`,
      'adapters.init(model)',
      'model.load_adapter("adapter", set_active=True, use_safetensors=True)',
      'model.eval()',
    ],
  },
  transformers: {
    hub: 'transformers',
    name: HUGGING_FACE,
    folder: 'model',
    imports: [],
    load: (_, autoModel) => [`model = ${autoModel}.from_pretrained("model").eval()`],
  },
};
