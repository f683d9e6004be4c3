import * as library from '@huggingface/tokenizers';
import type { AddedToken, TokenizerJson } from './tokenizer-json.ts';

// TypeScript does not find the library's types for this class.
const { SequenceDecoder } = library as unknown as {
  SequenceDecoder: new (config: {
    type: 'Sequence';
    decoders: object[];
  }) => {
    decoders: { added_tokens: readonly AddedToken[] }[];
    decode(tokens: string[]): string;
  };
};

/**
 * Decodes tokens to text, as the `decoder` section describes.
 *
 * @throws Error for a decoder that the library does not support
 */
export function decoder(
  section: TokenizerJson['decoder'],
  addedTokens: readonly AddedToken[],
): (tokens: string[]) => string {
  if (!section) return (tokens) => tokens.join(' ');
  const sequence = new SequenceDecoder({ type: 'Sequence', decoders: [section] });
  // Added tokens are text, so a byte-level decoder must not decode them as bytes.
  sequence.decoders[0]!.added_tokens = addedTokens;
  return (tokens) => sequence.decode(tokens);
}
