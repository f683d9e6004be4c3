import { IGNORED } from './labelled-rows.ts';

/**
 * The decoder's input in training: the labels shifted right by one, after its start token.
 *
 * @param labels [batch, length], {@link IGNORED} for padding
 */
export function shiftRight(
  labels: Int32Array,
  length: number,
  { padTokenId, decoderStartTokenId }: { padTokenId: number; decoderStartTokenId: number },
): Int32Array {
  return labels.map((_, i) => {
    if (i % length === 0) return decoderStartTokenId;
    return labels[i - 1] === IGNORED ? padTokenId : labels[i - 1];
  });
}
