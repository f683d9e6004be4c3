import { add, matmul } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import type { Sublayer } from '../../nn/network.ts';
import type { BankedBottleneck } from '../../tuners/banked.ts';
import type { BankReader } from './bank-reader.ts';
import { type BottleneckRoom, formKey } from './bank-shape.ts';

/** What bottlenecks of one form add to a sublayer's output, [batch, tokens, width]. */
export function bankedBottleneck(
  reader: BankReader,
  { path, width }: Pick<Sublayer, 'path' | 'width'>,
  { form, size }: BottleneckRoom,
  x: Value,
): Value {
  const key = formKey(form);
  const part = (
    name: 'down' | 'downBias' | 'up' | 'upBias',
    shape: number[],
    copy: (bottleneck: BankedBottleneck, slot: Float32Array) => void,
  ) =>
    reader.read(`${name} ${path} ${key}`, shape, ({ bottlenecks }, slot) => {
      const bottleneck = bottlenecks.get(path);
      if (bottleneck && formKey(bottleneck.form) === key) copy(bottleneck, slot);
    });
  const down = part('down', [size, width], (bottleneck, slot) => slot.set(bottleneck.down));
  const downBias = part('downBias', [1, size], (bottleneck, slot) => slot.set(bottleneck.downBias));
  // Rows have `size` columns. A smaller bottleneck fills only the first columns of each row.
  const up = part('up', [width, size], (bottleneck, slot) => {
    for (let row = 0; row < width; row++)
      slot.set(bottleneck.up.subarray(row * bottleneck.size, (row + 1) * bottleneck.size), row * size);
  });
  const upBias = part('upBias', [1, width], (bottleneck, slot) => slot.set(bottleneck.upBias));
  const inner = activation(form.nonLinearity, path)(add(matmul(x, down, { transposeB: true }), downBias));
  return add(matmul(inner, up, { transposeB: true }), upBias);
}
