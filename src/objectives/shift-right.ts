import { IGNORED } from './labelled-rows.ts';

/**
 * What the decoder of an encoder-decoder reads while it is taught: the labels one place later, behind its start token.
 *
 * @param labels [batch, length], {@link IGNORED} where there is none
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
