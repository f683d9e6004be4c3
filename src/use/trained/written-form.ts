import { type EncodedFile, encodeAdapter } from '../../input/formats/adapters/encode-adapter.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { assertOptions } from '../../support/options.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { assertFiniteValues } from './finite-values.ts';
import { type ExportGgufOptions, ggufAdapter } from './gguf-adapter.ts';
import { formatModelfile, ollamaTemplate, PLAIN_TEMPLATE } from './modelfile.ts';
import { type ExportOnnxOptions, onnxFolder } from './onnx-folder.ts';
import type { OpenedTuned } from './trained-parts.ts';

/** The form that every model supports, with or without an adapter. */
export const ONNX_FORM = 'onnx';
/** The form of adapters for llama.cpp, its server, and Ollama. */
export const GGUF_FORM = 'gguf';

const ADAPTER_FILE = 'adapter.gguf';
/** Two times that give different texts in a template with the date. */
const TIMES = [new Date(0), new Date(2 ** 40)] as const;

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

/**
 * An adapter in another equivalent form.
 *
 * @throws UserError that names the available forms, and for values that are not finite
 */
export function adapterForm(
  { adapter, folder }: Pick<OpenedTuned, 'adapter' | 'folder'>,
  form: string,
  options: object = {},
): WrittenForm {
  assertOptions(`export as ${form}`, options, {});
  const forms = [...Object.keys(adapter?.kind.exports ?? {}), GGUF_FORM, ONNX_FORM];
  const written = adapter?.kind.exports?.[form];
  if (!adapter || !written) {
    throw new UserError({
      where: folder,
      fault: `is ${adapter ? `an adapter of kind ${adapter.kind.name}` : 'a whole model'}, which cannot be exported as ${form}`,
      hint: suggest(form, forms),
      code: 'unsupported',
    });
  }
  const made = written(adapter.stored, folder);
  for (const [name, { data }] of made.tensors) assertFiniteValues(data, `${folder}: ${name}`);
  return { files: encodeAdapter(made), copies: { notes: 'adapter' } };
}

/** The files of {@link onnxFolder}, made one tensor at a time. */
export function onnxForm(opened: OpenedTuned, options?: ExportOnnxOptions): WrittenForm {
  return {
    files: [...onnxFolder(opened, options)].map(([path, { chunks }]): EncodedFile => [path, chunks()]),
    copies: { ofBase: true },
  };
}

/**
 * An adapter as a GGUF file, and a Modelfile for Ollama.
 *
 * @throws UserError like {@link ggufAdapter}
 */
export function ggufForm(opened: OpenedTuned, options?: ExportGgufOptions): WrittenForm {
  const chunks = ggufAdapter(opened, options);
  const base = opened.adapter?.stored.baseModel ?? opened.baseFolder;
  const modelfile = formatModelfile(ADAPTER_FILE, base, findTemplate(opened));
  return {
    files: [
      [ADAPTER_FILE, chunks],
      ['Modelfile', modelfile],
    ],
    copies: {},
  };
}

/** The template for the prompts on which the adapter was trained. */
function findTemplate({ base, model, notes }: OpenedTuned): string | undefined {
  if (notes && notes.data.messages === undefined) return PLAIN_TEMPLATE;
  try {
    const texts = requireTexts(base.modality(model.config));
    const start = texts.begin;
    const [template, other] = TIMES.map((time) => {
      const chat = texts.at(time);
      return ollamaTemplate((messages, addGenerationPrompt) => {
        const rendered = chat.render(messages, addGenerationPrompt);
        // llama.cpp adds this token itself.
        return rendered.startsWith(start) ? rendered.slice(start.length) : rendered;
      });
    });
    return template === other ? template : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
