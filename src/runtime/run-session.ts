import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import type { HostTensor, Session, Tensors } from './session.ts';

/** Wraps an ONNX Runtime session of any build (node, web) in the interface the program uses. */
export function wrapSession(
  session: InferenceSession,
  TensorClass: TensorConstructor,
  onRelease?: () => void,
): Session {
  const toEngine = (tensors: Tensors) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name, toTensor(TensorClass, tensor)]),
    );
  return {
    async run(feeds, into = {}) {
      const fetches = Object.fromEntries(session.outputNames.map((name) => [name, null]));
      const results = await session.run(toEngine(feeds), { ...fetches, ...toEngine(into) });
      return Object.fromEntries(
        Object.entries(results).map(([name, { data, dims }]) => [name, { data, dims } as HostTensor]),
      );
    },
    async release() {
      onRelease?.();
      await session.release();
    },
  };
}

function toTensor(TensorClass: TensorConstructor, { data, dims }: HostTensor): Tensor {
  return data instanceof Float32Array
    ? new TensorClass('float32', data, dims)
    : new TensorClass('int32', data, dims);
}
