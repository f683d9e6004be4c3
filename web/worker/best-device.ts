/** WebGPU where there is a GPU; one that the processor only plays is slower than WebAssembly. */
export async function bestDevice(): Promise<'wasm' | 'webgpu'> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return adapter && !adapter.info.isFallbackAdapter ? 'webgpu' : 'wasm';
}
