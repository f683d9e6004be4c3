import { join } from 'node:path';
import { assertNewFolder } from '../../../input/formats/node/folder-files.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { textsOf } from '../../../program/modalities/texts.ts';
import { UserError } from '../../../support/user-error.ts';
import { type ExportGgufOptions, ggufAdapter } from '../gguf-adapter.ts';
import { formatModelfile, ollamaTemplate, PLAIN_TEMPLATE } from '../modelfile.ts';
import type { OpenedTuned } from './open-tuned.ts';

const ADAPTER_FILE = 'adapter.gguf';

/** Two times that give different texts in a template with the date. */
const TIMES = [new Date(0), new Date(2 ** 40)] as const;

/**
 * Writes the adapter as a GGUF file, and a Modelfile for Ollama.
 *
 * @throws UserError like {@link ggufAdapter}, and for a folder with files in it
 */
export function exportGguf(opened: OpenedTuned, output: string, options?: ExportGgufOptions): void {
  const chunks = ggufAdapter(opened, options);
  assertNewFolder(output);
  atomicWrite(join(output, ADAPTER_FILE), chunks);
  const base = opened.adapter?.stored.baseModel ?? opened.baseFolder;
  atomicWrite(join(output, 'Modelfile'), formatModelfile(ADAPTER_FILE, base, templateOf(opened)));
}

/** The template for the prompts on which the adapter was trained. */
function templateOf({ base, model, notes }: OpenedTuned): string | undefined {
  if (notes && notes.data.messages === undefined) return PLAIN_TEMPLATE;
  try {
    const texts = textsOf(base.modality(model.config));
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
