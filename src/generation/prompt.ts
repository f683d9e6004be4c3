import type { ChatMessage } from '../text/chat/chat-message.ts';
import type { GenerationConfig } from './generation-config.ts';
import type { SearchOptions } from './search.ts';

/** A text to go on from (or for an encoder to read), a conversation to answer, or token ids as they are. */
export type Prompt = string | readonly ChatMessage[] | Int32Array;

/** Keys of transformers' `GenerationConfig`; they go before the model's files, of which null turns one off. */
export type GenerationInput = { [Key in keyof GenerationConfig]: GenerationConfig[Key] | null };

export interface GenerateTextOptions extends SearchOptions {
  /** Called with every piece of the text as it is made; with beams once, at the end. */
  onText?: ((text: string) => void) | undefined;
}

/** How a text is written: keys of transformers' `GenerationConfig`, beside options of this program. */
export interface WriteOptions extends GenerationInput, GenerateTextOptions {}
