import { IGNORED_LABEL } from './labelled-rows.ts';

/**
 * Shifts labels right by one, after the start token: the decoder's input in training.
 *
 * @param labels [batch, length], {@link IGNORED_LABEL} for padding
 */
export function shiftRight(
  labels: Int32Array,
  length: number,
  { padTokenId, decoderStartTokenId }: { padTokenId: number; decoderStartTokenId: number },
): Int32Array {
  return labels.map((_, i) => {
    if (i % length === 0) return decoderStartTokenId;
    return labels[i - 1] === IGNORED_LABEL ? padTokenId : labels[i - 1]!;
  });
}
