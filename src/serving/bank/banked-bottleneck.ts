import { add, matmul } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import type { Sublayer } from '../../nn/network.ts';
import type { BankedBottleneck } from '../../tuners/banked.ts';
import type { BankReader } from './bank-reader.ts';
import { type BottleneckRoom, formKey } from './bank-shape.ts';

/** The additions of bottlenecks of one form to a sublayer's output, [batch, tokens, width], from their input. */
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
      const own = bottlenecks.get(path);
      if (own && formKey(own.form) === key) copy(own, slot);
    });
  const down = part('down', [size, width], (own, slot) => slot.set(own.down));
  const downBias = part('downBias', [1, size], (own, slot) => slot.set(own.downBias));
  // The columns of a smaller one are at the start of each row.
  const up = part('up', [width, size], (own, slot) => {
    for (let row = 0; row < width; row++)
      slot.set(own.up.subarray(row * own.size, (row + 1) * own.size), row * size);
  });
  const upBias = part('upBias', [1, width], (own, slot) => slot.set(own.upBias));
  const inner = activation(form.nonLinearity, path)(add(matmul(x, down, { transposeB: true }), downBias));
  return add(matmul(inner, up, { transposeB: true }), upBias);
}
