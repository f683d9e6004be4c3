import { largest } from '../../support/numbers.ts';
import { Turns } from '../../support/turns.ts';
import { UserError } from '../../support/user-error.ts';
import type { Texts } from '../modalities/texts.ts';
import { generate } from './generate.ts';
import {
  type GenerationSettings,
  type GenerationSources,
  generationSettings,
} from './generation-settings.ts';
import type { LanguageModel } from './language-model.ts';
import {
  type Generated,
  type GenerateTextOptions,
  type GenerationInput,
  newTokens,
  type Prompt,
} from './prompt.ts';
import type { SearchOptions } from './search.ts';
import { WritingQueue } from './writing-queue.ts';

export interface TextGeneratorParts {
  model: LanguageModel;
  texts: Texts;
  /** The parsed generation_config.json, or config.json if it does not exist. */
  files: Omit<GenerationSources, 'user'>;
  isChat: boolean;
  close(): Promise<void>;
}

/**
 * Default number of new tokens if neither the user nor the model's files set a length. transformers' default
 * of 20 is rarely enough.
 */
const DEFAULT_NEW_TOKENS = 256;

/**
 * A language model that generates text. It has one cache, so calls wait for each other, but waiting calls
 * with equal settings share a batch. Close it after use.
 */
export class TextGenerator {
  /** Whether the adapter was trained on conversations, so that it expects messages. */
  readonly isChat: boolean;
  readonly #parts: TextGeneratorParts;
  readonly #turns = new Turns();
  readonly #queue: WritingQueue;

  constructor(parts: TextGeneratorParts) {
    this.#parts = parts;
    this.isChat = parts.isChat;
    this.#queue = new WritingQueue(parts.model, parts.texts, this.#turns);
  }

  /**
   * Generates the text after a prompt, or an encoder-decoder's output for it. With `num_return_sequences`,
   * returns the first text.
   *
   * @throws UserError for a config, a prompt or a conversation that the model does not support
   * @throws the signal's reason if it is aborted
   */
  async generate(
    prompt: Prompt,
    config: GenerationInput = {},
    { onText, ...options }: GenerateTextOptions = {},
  ): Promise<Generated> {
    const settings = this.settings(config);
    if (settings.num_beams === 1 && settings.num_return_sequences === 1)
      return this.#queue.write(this.#ids(prompt, settings), settings, { onText, ...options });
    if (onText && settings.num_return_sequences > 1) throw severalTexts(settings);
    const best = (await this.generateAll([prompt], config, options))[0]![0]!;
    onText?.(best.text);
    return best;
  }

  /**
   * Generates the texts of several prompts in one batch, padded to the longest. Returns
   * `num_return_sequences` texts per prompt. Beam search returns the best first.
   */
  async generateAll(
    prompts: readonly Prompt[],
    config: GenerationInput = {},
    options: SearchOptions = {},
  ): Promise<Generated[][]> {
    const settings = this.settings(config);
    const ids = prompts.map((prompt) => this.#ids(prompt, settings));
    const rows = await this.#turns.run(() => generate(this.#parts.model, ids, settings, options));
    const begun = this.#begun(ids);
    const all = rows.map((row): Generated => {
      const made = newTokens(row, begun, settings.eos_token_id);
      return { text: this.#parts.texts.decode(made.ids), ...made };
    });
    const each = settings.num_return_sequences;
    return prompts.map((_, i) => all.slice(i * each, (i + 1) * each));
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  /**
   * Merges a config with the model's files.
   *
   * @throws UserError with a line for each problem in the config or the files
   */
  settings(user: GenerationInput): GenerationSettings {
    const settings = generationSettings({ ...this.#parts.files, user });
    const isOpen = settings.max_new_tokens === undefined && settings.max_length === undefined;
    return isOpen ? { ...settings, max_new_tokens: DEFAULT_NEW_TOKENS } : settings;
  }

  #ids(prompt: Prompt, { bos_token_id }: GenerationSettings): Int32Array {
    const ids = this.#tokens(prompt);
    const { vocabSize } = this.#parts.model;
    const beyond = ids.find((id) => id < 0 || id >= vocabSize);
    if (beyond !== undefined) {
      throw new UserError({
        where: 'the prompt',
        fault: `has token id ${beyond}, but vocab_size in the model's config.json is ${vocabSize}`,
        hint:
          prompt instanceof Int32Array
            ? "Use ids of this model's vocabulary."
            : 'Its vocabulary file belongs to another model.',
        code: 'invalid_argument',
      });
    }
    return ids.length === 0 && bos_token_id !== undefined ? Int32Array.of(bos_token_id) : ids;
  }

  #tokens(prompt: Prompt): Int32Array {
    const { texts, model } = this.#parts;
    if (prompt instanceof Int32Array) return prompt;
    if (typeof prompt !== 'string') return texts.ids(texts.render(prompt, true));
    if (model.encode) return texts.encode(prompt, undefined, Number.POSITIVE_INFINITY).inputIds;
    return texts.begun(prompt);
  }

  /** The number of tokens with which each row starts. */
  #begun(prompts: readonly Int32Array[]): number {
    return this.#parts.model.encode ? 1 : largest(prompts.map(({ length }) => length));
  }
}

function severalTexts({ num_return_sequences }: GenerationSettings): UserError {
  return new UserError({
    where: 'Streaming',
    fault: `supports one text per prompt, got num_return_sequences: ${num_return_sequences}`,
    hint: 'Set it to 1, or do not stream.',
    code: 'invalid_argument',
  });
}
