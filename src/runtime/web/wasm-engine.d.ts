/** The engine's build for WebAssembly: package.json names the one for Node and the one for pages. */
declare module '#wasm-engine' {
  export * from 'onnxruntime-web';
}
