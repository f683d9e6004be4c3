import { env } from 'onnxruntime-common';

/** The version of ONNX Runtime. Its packages for Node and for pages have the same one. */
export function engineVersion(): string {
  return env.versions.common;
}
