import type { ChatMessage, ChatTools } from '../../input/text/chat/chat-template.ts';
import type { GenerationConfig } from './generation-config.ts';
import type { SearchOptions } from './search.ts';

/** The text generated from a prompt. */
export interface Generated {
  /** The text without special tokens. */
  text: string;
  /** The new tokens, including the end token. */
  ids: Int32Array;
  /** Why generation ended: by an end token, or by the maximum length. */
  finish: 'stop' | 'length';
}

/**
 * The new tokens of a row, without padding, and why they ended. The row starts with `begun` other tokens.
 *
 * @param ends the end tokens
 */
export function newTokens(
  row: Int32Array,
  begun: number,
  ends: readonly number[] = [],
): Pick<Generated, 'ids' | 'finish'> {
  const rest = row.subarray(begun);
  const end = rest.findIndex((id) => ends.includes(id));
  return end < 0 ? { ids: rest, finish: 'length' } : { ids: rest.subarray(0, end + 1), finish: 'stop' };
}

/** A conversation with functions that the answer may call. */
interface ToolPrompt {
  messages: readonly ChatMessage[];
  /** JSON schemas of the functions, as in OpenAI's API. */
  tools: ChatTools;
}

/** A text to continue (or for an encoder to read), a conversation to answer, or token ids. */
export type Prompt = string | readonly ChatMessage[] | ToolPrompt | Int32Array;

/** Keys of transformers' `GenerationConfig`. They override the model's files; null turns a key of the files off. */
export type GenerationInput = { [Key in keyof GenerationConfig]: GenerationConfig[Key] | null };

/** Callbacks and limits of one generation. */
export interface GenerateTextOptions extends SearchOptions {
  /** Called with every piece of the text as it is generated. In beam search, called once at the end. */
  onText?: ((text: string) => void) | undefined;
  /** Called with the number of tokens read: first the whole prompt, then one for each chosen token except the last. */
  onRead?: ((tokens: number, isPrompt: boolean) => void) | undefined;
}

/** Options for generating a text: keys of transformers' `GenerationConfig`, and options of this library. */
export interface WriteOptions extends GenerationInput, GenerateTextOptions {}
