import type { GenerationInput, Prompt } from '../../../program/generation/prompt.ts';
import type { EmbedOptions, ServedAnswer } from '../../../tasks/prediction.ts';

/** Facts about a served model, as plain data. */
export interface ServedCard {
  name: string;
  folder: string;
  created: number;
  /** The base model's name. Undefined for the base itself. */
  parent?: string;
  /** Undefined for a base that generates text. */
  task?: string;
  labels: readonly string[];
  /** Whether it generates text. */
  writes: boolean;
  /** Whether it computes vectors. */
  embeds: boolean;
  /** The medium of its inputs, or `text`. */
  input: string;
}

/**
 * An input for prediction: a text, a pair of texts, a question about a context, or a file. A model of a medium, such as
 * images, reads a text as a file in base64.
 */
export interface ServedText {
  text: string;
  pair?: string;
  /** The bytes of a file, also in base64. Then `text` is its name, or empty. */
  file?: Uint8Array | string;
}

export interface PredictRequest {
  model: string;
  inputs: readonly ServedText[];
  /** Whether scores are logits instead of probabilities. */
  raw: boolean;
  /** Whether to truncate texts that are too long. Otherwise, they are rejected. */
  truncate: boolean;
  /** Keys of the `data` section that differ from the run's. */
  reading?: Readonly<Record<string, unknown>>;
}

export interface EmbedRequest extends EmbedOptions {
  model: string;
  inputs: readonly (string | ServedText)[];
  /** Whether to truncate texts that are too long. Otherwise, they are rejected. */
  truncate: boolean;
}

/** A vector for each input. */
export interface Embedded {
  vectors: Float32Array[];
  /** Number of tokens in all inputs. */
  tokens: number;
}

export interface WriteRequest {
  model: string;
  /** A text, tokens, or a conversation to answer. */
  prompt: Prompt;
  generation: GenerationInput;
  seed: number;
  /** Texts that end the output. The output does not contain them. */
  stop: readonly string[];
}

export interface Written {
  text: string;
  finish: 'stop' | 'length';
  promptTokens: number;
  newTokens: number;
}

/**
 * The operations of a server, independent of its protocol. All methods throw UserError, UnknownModel and Overloaded.
 */
export interface Service {
  models(): Promise<ServedCard[]>;
  predict(request: PredictRequest, signal?: AbortSignal): Promise<ServedAnswer[]>;
  embed(request: EmbedRequest, signal?: AbortSignal): Promise<Embedded>;
  /** @param onText called with every piece of the text when it is generated */
  write(request: WriteRequest, signal?: AbortSignal, onText?: (text: string) => void): Promise<Written>;
  load(name: string, path: string): Promise<void>;
  unload(name: string): Promise<void>;
  close(): Promise<void>;
}

/** The names of a service's methods, for calls from other threads. */
export const SERVICE_METHODS = [
  'models',
  'predict',
  'embed',
  'write',
  'load',
  'unload',
  'close',
] as const satisfies readonly (keyof Service)[];
