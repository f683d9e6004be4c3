import type { Tensors } from '../../engine/runtime/session.ts';
import { collate } from '../../input/text/batches.ts';
import type { Encoding } from '../../input/text/tokenizer.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import type { BatchForm, RowInputs } from './modality.ts';

interface TextRow extends RowInputs {
  encoding: Encoding;
}

/** Batches of texts. Shorter rows are padded. */
export function textBatches(padId: number): BatchForm<TextRow> {
  return {
    rowsOf({ input_ids, token_type_ids, attention_mask }) {
      const [padded, batch] = input_ids!.dims as [number, number];
      return Array.from({ length: batch }, (_, row) => {
        const mask = attention_mask!.data as Int32Array;
        const length = mask.subarray(row * padded, (row + 1) * padded).reduce((a, b) => a + b, 0);
        const column = ({ data }: Tensors[string]) =>
          Int32Array.from({ length }, (_, position) => data[position * batch + row]!);
        const encoding = {
          inputIds: column(input_ids!),
          tokenTypeIds: column(token_type_ids!),
          truncated: false,
        };
        return { length, encoding };
      });
    },
    joined(rows) {
      return modelFeeds(
        collate(
          rows.map(({ encoding }) => encoding),
          padId,
        ),
      );
    },
  };
}
