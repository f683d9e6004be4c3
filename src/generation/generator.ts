import type { ChatMessage } from '../text/chat/chat-message.ts';
import type { Generated } from './generated.ts';
import type { GenerationConfig } from './generation-config.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { SearchOptions } from './search.ts';

/** A text to go on from (or for an encoder to read), a conversation to answer, or token ids as they are. */
export type Prompt = string | readonly ChatMessage[] | Int32Array;

/** Keys of transformers' `GenerationConfig`; they go before the model's files, of which null turns one off. */
export type GenerationInput = { [Key in keyof GenerationConfig]: GenerationConfig[Key] | null };

export interface GenerateTextOptions extends SearchOptions {
  /** Called with every piece of the text as it is made; with beams once, at the end. */
  onText?: (text: string) => void;
}

/** A language model that writes text. It has one memory, so it does one thing at a time. Close it after use. */
export interface Generator {
  /** Whether the model was trained on conversations, as far as its adapter says: then it wants messages. */
  readonly isChat: boolean;

  /**
   * The text that follows a prompt, or that an encoder-decoder makes of it; of several (`num_return_sequences`) the
   * first.
   *
   * @throws UserError for a config, a prompt or a conversation that the model cannot take; the signal's reason when it
   * is aborted
   */
  generate(prompt: Prompt, config?: GenerationInput, options?: GenerateTextOptions): Promise<Generated>;

  /**
   * The texts of several prompts, read as one batch, which is padded to the longest: for each prompt
   * `num_return_sequences`, of beams the best first.
   */
  generateAll(
    prompts: readonly Prompt[],
    config?: GenerationInput,
    options?: SearchOptions,
  ): Promise<Generated[][]>;

  /**
   * The text of a prompt in pieces, as it is made; with beams in one, at the end. Pieces are whole characters, and
   * together the text that `generate` gives. The generator's end has that; whoever stops listening ends the search.
   */
  stream(
    prompt: Prompt,
    config?: GenerationInput,
    options?: SearchOptions,
  ): AsyncGenerator<string, Generated>;

  /**
   * What a config means with the model's files.
   *
   * @throws UserError with a line for everything that is wrong with either
   */
  settings(config: GenerationInput): GenerationSettings;

  close(): Promise<void>;
}
