import { add } from '../../graph/build.ts';
import { activation } from '../../nn/activation.ts';
import type { BankedPart, BankedPiece, BankForm } from '../bank/bank-form.ts';
import { asRows, byExample, tokensOf } from '../bank/bank-rows.ts';
import { sharedByAll } from '../bank/not-mixed.ts';
import { type BottleneckForm, bottleneck, inputOf } from './bottleneck-injection.ts';
import { type BottleneckPart, PART_NAMES, partName } from './bottleneck-site.ts';
import type { BottleneckTuner } from './bottleneck-tuner.ts';

const bankForm = ({ reads, nonLinearity }: BottleneckForm): BankForm => ({
  key: `bottleneck of ${reads}, ${nonLinearity}`,
  inject: (reader, rooms) => ({
    sublayer({ path, width }, h, end) {
      const size = rooms.get(path);
      if (size === undefined) return undefined;
      if (tokensOf(h) === undefined) throw sharedByAll(path);
      const shapes = { down: [size, width], downBias: [1, size], up: [width, size], upBias: [1, width] };
      const part = (name: BottleneckPart) =>
        reader.read(`${name} ${path}`, shapes[name], (pieces, slot) => {
          const piece = pieces.get(path);
          if (!piece) return;
          const tensor = piece.tensors[name];
          if (name !== 'up') return slot.set(tensor);
          // Rows have `size` columns. A smaller bottleneck fills only the first columns of each row.
          for (let row = 0; row < width; row++)
            slot.set(tensor.subarray(row * piece.size, (row + 1) * piece.size), row * size);
        });
      const x = byExample(inputOf(reads, h, end));
      return add(asRows(bottleneck(x, activation(nonLinearity, 'non_linearity'), part)), h);
    },
  }),
});

/** The adapters of a tuner, by the paths of their sublayers. */
export function bankedBottlenecks(
  { places, layout, form }: BottleneckTuner,
  values: Float32Array,
): BankedPart {
  const pieces = places.map(({ sublayer, bottleneck: size }): [string, BankedPiece] => {
    const tensors = PART_NAMES.map((part) => [part, layout.read(values, partName(sublayer, part))]);
    return [sublayer.path, { size, tensors: Object.fromEntries(tensors) }];
  });
  return { form: bankForm(form), pieces: new Map(pieces) };
}
