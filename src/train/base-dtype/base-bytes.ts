import { ARRAY_OF } from '../../formats/tensor-data.ts';
import { elementCount } from '../../support/element-count.ts';
import type { TaskModel } from '../../tasks/task-model.ts';
import type { BaseDtype } from './base-dtype.ts';
import { baseFormat } from './base-format.ts';

/** The memory that a frozen base takes in a type: mapped, and what the kernels of 4 bits copy of it. */
export function baseBytes(model: TaskModel, dtype: BaseDtype): number {
  const format = dtype === 'float32' ? undefined : baseFormat(model, dtype);
  let bytes = 0;
  for (const [name, shape] of model.parameters) {
    const module = name.replace(/\.weight$/, '');
    if (format?.base.paths.has(module)) {
      for (const { dtype, shape: stored } of format.tensors(module, shape, unread)) {
        bytes += elementCount(stored) * ARRAY_OF[dtype].BYTES_PER_ELEMENT;
      }
      if (dtype === 'int4') bytes += elementCount(shape) / 2;
    } else bytes += 4 * elementCount(shape);
  }
  return bytes;
}

function unread(): never {
  throw new Error('sizes are known without reading');
}
