import type { Device } from '../../runtime/session.ts';
import { lazy } from '../../support/lazy.ts';
import { loadChatTemplate } from '../../text/chat/node/load-chat-template.ts';
import { loadTokenizer } from '../../text/node/load-tokenizer.ts';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import { withBaseDtype } from '../../bases/node/with-base-dtype.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import type { Generator } from '../../generation/generator.ts';
import { openLanguageModel } from '../../generation/open-language-model.ts';
import { TextGenerator } from '../../generation/text-generator.ts';
import { loadLanguageModel } from './load-language-model.ts';
import { readGenerationFiles } from './read-generation-files.ts';

export interface GeneratorOptions {
  /** The base model (folder or Hub id), where it lies elsewhere than the adapter says. */
  model?: string;
  device?: Device;
  /** How the frozen weights are kept; float32 by default. */
  baseDtype?: BaseDtype;
  /**
   * Whether a prompt that begins as what was read before is read from there on, as the turns of a conversation do. The
   * texts are the same up to rounding, so that a sampled one may depend on what was read before.
   */
  continues?: boolean;
}

/**
 * Opens a language model to generate with: a run's folder, an adapter's (of this program or of PEFT, `CAUSAL_LM` or
 * `SEQ_2_SEQ_LM`), a model's, or a model of the Hub by its id. Defaults of generation are those of the base model's
 * generation_config.json, or of its config.json where that is absent. Close it after use.
 *
 * @throws UserError for anything missing, damaged or not fitting together, and for what is no language model
 */
export async function openGenerator(path: string, options: GeneratorOptions = {}): Promise<Generator> {
  const { model: opened, baseFolder, tuner, values, isChat } = await loadLanguageModel(path, options.model);
  try {
    const model = await withBaseDtype(opened, options.baseDtype ?? 'float32');
    const tokenizer = loadTokenizer(baseFolder, { typeVocabSize: model.config.typeVocabSize });
    const files = readGenerationFiles(baseFolder);
    const engine = nodeEngine(model, options.device ?? 'cpu');
    const languageModel = await openLanguageModel({ engine, model, tuner, values }, options);
    return new TextGenerator({
      model: languageModel,
      tokenizer,
      chatTemplate: lazy(() => loadChatTemplate(baseFolder, tokenizer.specialTokens)),
      files,
      isChat,
      async close() {
        await languageModel.release();
        model.close();
      },
    });
  } catch (error) {
    opened.close();
    throw error;
  }
}
