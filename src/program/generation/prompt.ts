import type { ChatMessage } from '../../input/text/chat/chat-message.ts';
import type { GenerationConfig } from './generation-config.ts';
import type { SearchOptions } from './search.ts';

/** A text to continue (or for an encoder to read), a conversation to answer, or token ids. */
export type Prompt = string | readonly ChatMessage[] | Int32Array;

/** Keys of transformers' `GenerationConfig`. They override the model's files; null turns a key of the files off. */
export type GenerationInput = { [Key in keyof GenerationConfig]: GenerationConfig[Key] | null };

export interface GenerateTextOptions extends SearchOptions {
  /** Called with every piece of the text as it is generated. In beam search, called once at the end. */
  onText?: ((text: string) => void) | undefined;
}

/** Options for generating a text: keys of transformers' `GenerationConfig`, and options of this library. */
export interface WriteOptions extends GenerationInput, GenerateTextOptions {}
