export { formatAdapterConfig } from './adapters/format-adapter-config.ts';
export type { AdapterTensors, StoredAdapter } from './adapters/stored-adapter.ts';
export { type ByteSource, bytesAsSource } from './byte-source.ts';
export type { Checkpoint } from './checkpoint.ts';
export { encodeSafetensors, streamSafetensors } from './encode-safetensors.ts';
export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './float.ts';
export { TorchFile } from './pickle/torch-file.ts';
export { parseSafetensorsHeader, type SafetensorsHeader, type TensorInfo } from './safetensors.ts';
export { type Dtype, decodeTensor, type StoredTensor, type TensorData, toFloat32 } from './tensor-data.ts';
