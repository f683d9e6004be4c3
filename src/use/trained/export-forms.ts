import type { EncodedFile } from '../../input/formats/adapters/encode-adapter.ts';
import { acceptOne } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import type { OpenedTuned } from './trained-parts.ts';

/** A model or its adapter in another form: the files of a folder. */
export interface WrittenForm {
  /** In the order in which they are written. The last one completes the folder. */
  files: EncodedFile[];
  /** Unchanged files that are copied beside them. */
  copies: {
    /** The files for inputs, and other files of the base model. */
    ofBase?: true;
    /** The notes of the adapter: as they are, or for a merged model, which needs no base. */
    notes?: 'adapter' | 'merged';
  };
}

/** A form in which a model, or its adapter, can be written. */
interface ExportForm {
  /** Whether the form is a whole model or an adapter. */
  writes: 'model' | 'adapter';
  says: string;
  /** The types of its weights, for help. Missing if the form before it lists them. */
  dtypes?: string;
  /** Loads what makes it, which is large. */
  load(): Promise<{
    /**
     * Makes its files. Each form checks its own options.
     *
     * @throws UserError for a model that has no such form
     */
    make(opened: OpenedTuned, options: object): WrittenForm;
    /**
     * Returns the options for a value of `--dtype`.
     *
     * @throws UserError for a type that the form does not have
     */
    readDtype(dtype: string): object;
  }>;
}

/** The forms that need the base model. A form of adapters alone is one of its kind's `exports`. To add a form, add a line. */
export const EXPORT_FORMS: Readonly<Record<string, ExportForm>> = {
  merged: {
    writes: 'model',
    says: 'the whole model',
    dtypes: 'float32, float16, bfloat16, default: that of the base model',
    async load() {
      const { MERGED_DTYPES, mergedForm } = await import('./merged-form.ts');
      return { make: mergedForm, readDtype: (name) => ({ dtype: dtypeNamed(name, MERGED_DTYPES) }) };
    },
  },
  onnx: {
    writes: 'model',
    says: 'the model for transformers.js and Optimum',
    dtypes: 'fp32, fp16, q8, q4, or several as in fp32,q8',
    async load() {
      const { onnxForm } = await import('./onnx-folder.ts');
      const { onnxDtypes } = await import('../optimum/onnx-dtypes.ts');
      const listed = (names: string) => names.split(',').map((name) => name.trim());
      return { make: onnxForm, readDtype: (names) => ({ dtypes: onnxDtypes(listed(names), '--dtype') }) };
    },
  },
  gguf: {
    writes: 'model',
    says: 'for llama.cpp and Ollama',
    dtypes: 'f16, f32, q8_0, q4_0',
    async load() {
      const { ggufForm } = await import('./gguf-model.ts');
      const { GGUF_DTYPES } = await import('../../input/formats/encode-gguf.ts');
      return { make: ggufForm, readDtype: (name) => ({ dtype: dtypeNamed(name, GGUF_DTYPES) }) };
    },
  },
  'gguf-adapter': {
    writes: 'adapter',
    says: 'an adapter for them',
    async load() {
      const { ggufAdapterForm } = await import('./gguf-adapter.ts');
      const { GGUF_DTYPES } = await import('../../input/formats/encode-gguf.ts');
      return { make: ggufAdapterForm, readDtype: (name) => ({ dtype: dtypeNamed(name, GGUF_DTYPES) }) };
    },
  },
  mlx: {
    writes: 'adapter',
    says: 'for mlx-lm',
    async load() {
      const { mlxForm } = await import('./mlx-adapter.ts');
      return { make: mlxForm, readDtype: (name) => dtypeNamed(name, ['f32']) && {} };
    },
  },
};

/** The forms that are uploaded, with a card. */
export const PUSHED_FORMS = ['merged', 'onnx'];

function dtypeNamed(name: string, known: readonly string[]): string {
  const { holds, is } = acceptOne(...known);
  if (holds(name)) return name;
  throw new UserError({ key: '--dtype', expected: is, got: `"${name}"` });
}
