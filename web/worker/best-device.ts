/** Returns `webgpu` if there is a real GPU. A software adapter is slower than WebAssembly. */
export async function bestDevice(): Promise<'wasm' | 'webgpu'> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return adapter && !adapter.info.isFallbackAdapter ? 'webgpu' : 'wasm';
}
